"""What agents wrote, made fit to be read: nothing hides, nothing runs, nothing takes long."""
