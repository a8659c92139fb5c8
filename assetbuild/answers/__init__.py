"""What the tool can tell about a project: one asset, a file, the state in five lines, its health. Nothing here changes anything."""
