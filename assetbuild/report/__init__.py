"""How a run is told to people. Knows events and plans' records, never a store or a file."""
