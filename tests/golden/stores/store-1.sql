PRAGMA application_id = 1094863940;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE claims (key TEXT PRIMARY KEY, file TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    take INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intent', 'submitted', 'done', 'failed', 'refused', 'expired', 'in_doubt')),
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    host TEXT,
    project TEXT NOT NULL,
    asset TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body BLOB NOT NULL,
    inputs TEXT NOT NULL DEFAULT '[]',
    landed TEXT NOT NULL DEFAULT '{}',
    reserved INTEGER NOT NULL,
    cost INTEGER,
    remote_id TEXT,
    note TEXT,
    intent_at REAL NOT NULL,
    sent_at REAL,
    submitted_at REAL,
    ended_at REAL,
    UNIQUE (key, take, attempt)
);
CREATE TABLE result_blobs (
    key TEXT NOT NULL,
    take INTEGER NOT NULL,
    place INTEGER NOT NULL,
    member TEXT NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    media TEXT NOT NULL,
    PRIMARY KEY (key, take, place)
) WITHOUT ROWID;
INSERT INTO "result_blobs" VALUES('293b9207228b7854bc3ccb2959ebea1583e066d41983124a5b381d6fdf6575f8',1,0,'','7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed',3,'image/png');
CREATE TABLE results (
    key TEXT NOT NULL,
    take INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    host TEXT,
    cost INTEGER,
    made_at REAL NOT NULL,
    notes TEXT NOT NULL,
    rejected TEXT,
    by_hand INTEGER NOT NULL,
    PRIMARY KEY (key, take)
) WITHOUT ROWID;
INSERT INTO "results" VALUES('293b9207228b7854bc3ccb2959ebea1583e066d41983124a5b381d6fdf6575f8',1,1,'apiframe/gpt-image-2',NULL,40000,1000.0,'{}',NULL,0);
CREATE TABLE trees (path TEXT PRIMARY KEY, locks TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "trees" VALUES('/p','{"locks": ["assets.lock"], "folder": "", "marks": []}');
CREATE TABLE written (
    tree TEXT NOT NULL,
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    key TEXT,
    PRIMARY KEY (tree, path)
) WITHOUT ROWID;
INSERT INTO "written" VALUES('/p','art/poster.png','7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed','293b9207228b7854bc3ccb2959ebea1583e066d41983124a5b381d6fdf6575f8');
CREATE INDEX result_blobs_digest ON result_blobs (digest);
CREATE INDEX jobs_open ON jobs (state) WHERE state IN ('intent', 'submitted');
CREATE INDEX jobs_time ON jobs (intent_at);
COMMIT;
