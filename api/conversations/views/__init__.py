"""Views of the conversation dialect."""
