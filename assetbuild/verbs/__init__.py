"""What a person can tell the tool about pictures: `use`, `rename`, `init`. Nothing here makes a picture or costs anything."""
