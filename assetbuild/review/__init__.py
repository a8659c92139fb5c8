"""The live page of `watch --serve`: a small server on loopback, and the files that a browser gets. Shows what a `Room` says; plans nothing, buys nothing.

Rooms: `room` (what the page is told and may ask for), `guard` (who may ask), `server` (HTTP), `thumbs` (small pictures), `page/` (the page's own files).
"""
