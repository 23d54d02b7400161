"""The live node: kernel and client joined; shells bring bytes and the time."""
