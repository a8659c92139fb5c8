"""`assetbuild watch`: follows a spec and its inputs, does free work by itself, and buys what somebody presses a key for.

Rooms: `outlook` (what a plan says, as plain records), `state` (what happens when; pure), `following`, `eyes`, `gitview` (what changes on the disk and in the
repository), `surveying` and `worker` (the child process that plans and builds), `hands` (the children), `sights` (pictures of a run so far), `screen` (a
terminal), `running` (ties it together).
"""
