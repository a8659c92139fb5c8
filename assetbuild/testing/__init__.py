"""For tests, ours and those of people who write providers: whole projects in a temp dir, a provider that counts its bills."""
