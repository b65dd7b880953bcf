"""Making previews of files that nobody trusts: programs of a process of their own, without Django.

`python -m attachments.conversion KIND FOLDER FILENAME` reads `FOLDER/input` and writes the parts of
the preview beside it. It bounds itself: memory, processor time, wall-clock time, size of output.
"""
