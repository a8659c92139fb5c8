"""What is made of pictures here, free: opened safely, shaped, encoded, cut, marked and compared. Knows no spec, no store and no vendor."""
