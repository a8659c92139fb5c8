"""What the tool can tell about a project: one asset, a file, what was left behind, the state in five lines, its health. Nothing here changes anything."""
