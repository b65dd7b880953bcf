"""The project: settings, processes, and how they start."""
