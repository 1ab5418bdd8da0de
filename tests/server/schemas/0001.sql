BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE api_key (
	id VARCHAR(36) NOT NULL, 
	key_id VARCHAR(40) NOT NULL, 
	secret_sha256 VARCHAR(64) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	scopes JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	revoked_at BIGINT, 
	last_used_at BIGINT, 
	CONSTRAINT pk_api_key PRIMARY KEY (id), 
	CONSTRAINT uq_api_key_key_id UNIQUE (key_id)
);
CREATE TABLE current (
	product_id VARCHAR(36) NOT NULL, 
	environment_id VARCHAR(36) NOT NULL, 
	lifecycle_id VARCHAR(36), 
	version_id VARCHAR(36), 
	completed_at BIGINT, 
	last_lifecycle_id VARCHAR(36) NOT NULL, 
	last_at BIGINT NOT NULL, 
	CONSTRAINT pk_current PRIMARY KEY (product_id, environment_id), 
	CONSTRAINT fk_current_environment_id FOREIGN KEY(environment_id) REFERENCES environment (id), 
	CONSTRAINT fk_current_last_lifecycle_id FOREIGN KEY(last_lifecycle_id) REFERENCES lifecycle (id), 
	CONSTRAINT fk_current_lifecycle_id FOREIGN KEY(lifecycle_id) REFERENCES lifecycle (id), 
	CONSTRAINT fk_current_product_id FOREIGN KEY(product_id) REFERENCES product (id), 
	CONSTRAINT fk_current_version_id FOREIGN KEY(version_id) REFERENCES version (id)
);
INSERT INTO "current" VALUES('5128585b-5a4d-4fff-bf63-62d8f0f55c41','846f300a-2372-48bf-a1fd-ceed6dd3205b',NULL,NULL,NULL,'75ac02ea-c3a6-4178-b639-f09bbcd52813',1769860800000000);
CREATE TABLE environment (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	position INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_environment PRIMARY KEY (id), 
	CONSTRAINT uq_environment_name UNIQUE (name)
);
INSERT INTO "environment" VALUES('846f300a-2372-48bf-a1fd-ceed6dd3205b','production',1,1769860800000000);
CREATE TABLE event (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(36) NOT NULL, 
	idempotency_key VARCHAR(255), 
	kind VARCHAR(10) NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	lifecycle_id VARCHAR(36) NOT NULL, 
	group_key VARCHAR(36), 
	product_id VARCHAR(36) NOT NULL, 
	version_id VARCHAR(36) NOT NULL, 
	environment_id VARCHAR(36), 
	occurred_at BIGINT NOT NULL, 
	received_at BIGINT NOT NULL, 
	is_late BOOLEAN NOT NULL, 
	is_repeat BOOLEAN NOT NULL, 
	payload TEXT NOT NULL, 
	answer TEXT NOT NULL, 
	CONSTRAINT fk_event_environment_id FOREIGN KEY(environment_id) REFERENCES environment (id), 
	CONSTRAINT fk_event_lifecycle_id FOREIGN KEY(lifecycle_id) REFERENCES lifecycle (id), 
	CONSTRAINT fk_event_product_id FOREIGN KEY(product_id) REFERENCES product (id), 
	CONSTRAINT fk_event_version_id FOREIGN KEY(version_id) REFERENCES version (id), 
	CONSTRAINT uq_event_id UNIQUE (id), 
	CONSTRAINT uq_event_idempotency_key UNIQUE (idempotency_key)
);
INSERT INTO "event" VALUES(1,'951f4f22-e8c1-4e58-a85f-45655a61b985','key-0','deployment','started','75ac02ea-c3a6-4178-b639-f09bbcd52813',NULL,'5128585b-5a4d-4fff-bf63-62d8f0f55c41','47dbe09a-3563-411a-9d9a-61e2b6927a57','846f300a-2372-48bf-a1fd-ceed6dd3205b',1769860800000000,1769860800000000,0,0,'{"product_name":"shop","version":"1.4.2","status":"started","extra_metadata":{"vi_occurred_at":"2026-01-31T12:00:00.000000Z"},"environment_name":"production"}','{"id":"951f4f22-e8c1-4e58-a85f-45655a61b985","event_id":"951f4f22-e8c1-4e58-a85f-45655a61b985","product_id":"5128585b-5a4d-4fff-bf63-62d8f0f55c41","version_id":"47dbe09a-3563-411a-9d9a-61e2b6927a57","environment_id":"846f300a-2372-48bf-a1fd-ceed6dd3205b","deployment_id":"75ac02ea-c3a6-4178-b639-f09bbcd52813","status":"started"}');
CREATE TABLE lifecycle (
	id VARCHAR(36) NOT NULL, 
	kind VARCHAR(10) NOT NULL, 
	"key" VARCHAR(36) NOT NULL, 
	slot VARCHAR(36) NOT NULL, 
	group_key VARCHAR(36), 
	product_id VARCHAR(36) NOT NULL, 
	version_id VARCHAR(36) NOT NULL, 
	environment_id VARCHAR(36), 
	state VARCHAR(10) NOT NULL, 
	is_open BOOLEAN NOT NULL, 
	is_stale BOOLEAN NOT NULL, 
	superseded_by VARCHAR(36), 
	adopted_by VARCHAR(36), 
	chain_id VARCHAR(36) NOT NULL, 
	closed_by VARCHAR(36), 
	closed_name VARCHAR(200), 
	opened_at BIGINT NOT NULL, 
	pending_at BIGINT, 
	started_at BIGINT, 
	ended_at BIGINT, 
	last_event_at BIGINT NOT NULL, 
	source_system TEXT, 
	invoke_id TEXT, 
	build_number TEXT, 
	actor TEXT, 
	branch TEXT, 
	sha TEXT, 
	repository TEXT, 
	url TEXT, 
	error TEXT, 
	error_code TEXT, 
	reason TEXT, 
	duration DOUBLE, 
	CONSTRAINT pk_lifecycle PRIMARY KEY (id), 
	CONSTRAINT fk_lifecycle_environment_id FOREIGN KEY(environment_id) REFERENCES environment (id), 
	CONSTRAINT fk_lifecycle_product_id FOREIGN KEY(product_id) REFERENCES product (id), 
	CONSTRAINT fk_lifecycle_version_id FOREIGN KEY(version_id) REFERENCES version (id)
);
INSERT INTO "lifecycle" VALUES('75ac02ea-c3a6-4178-b639-f09bbcd52813','deployment','1d7b43e8-cd87-54c0-af97-ece5065ec4f9','1d7b43e8-cd87-54c0-af97-ece5065ec4f9',NULL,'5128585b-5a4d-4fff-bf63-62d8f0f55c41','47dbe09a-3563-411a-9d9a-61e2b6927a57','846f300a-2372-48bf-a1fd-ceed6dd3205b','started',1,0,NULL,NULL,'75ac02ea-c3a6-4178-b639-f09bbcd52813',NULL,NULL,1769860800000000,NULL,1769860800000000,NULL,1769860800000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE meta (
	"key" VARCHAR(40) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);
CREATE TABLE product (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_product PRIMARY KEY (id), 
	CONSTRAINT uq_product_name UNIQUE (name)
);
INSERT INTO "product" VALUES('5128585b-5a4d-4fff-bf63-62d8f0f55c41','shop',1769860800000000);
CREATE TABLE version (
	id VARCHAR(36) NOT NULL, 
	product_id VARCHAR(36) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	scm_sha TEXT, 
	scm_repository TEXT, 
	is_built BOOLEAN NOT NULL, 
	first_seen_at BIGINT NOT NULL, 
	CONSTRAINT pk_version PRIMARY KEY (id), 
	CONSTRAINT fk_version_product_id FOREIGN KEY(product_id) REFERENCES product (id), 
	CONSTRAINT uq_version_product_id_name UNIQUE (product_id, name)
);
INSERT INTO "version" VALUES('47dbe09a-3563-411a-9d9a-61e2b6927a57','5128585b-5a4d-4fff-bf63-62d8f0f55c41','1.4.2',NULL,NULL,0,1769860800000000);
CREATE INDEX ix_version_first_seen_at_id ON version (first_seen_at, id);
CREATE INDEX ix_lifecycle_adopted_by ON lifecycle (adopted_by);
CREATE INDEX ix_lifecycle_environment ON lifecycle (environment_id, kind, opened_at, id);
CREATE INDEX ix_lifecycle_group_key ON lifecycle (group_key);
CREATE INDEX ix_lifecycle_history ON lifecycle (kind, opened_at, id);
CREATE INDEX ix_lifecycle_key ON lifecycle ("key", is_open, opened_at);
CREATE INDEX ix_lifecycle_open ON lifecycle (product_id, environment_id, state) WHERE is_open = 1;
CREATE INDEX ix_lifecycle_product ON lifecycle (product_id, kind, opened_at, id);
CREATE INDEX ix_lifecycle_slot ON lifecycle (slot, is_open, opened_at);
CREATE INDEX ix_lifecycle_state ON lifecycle (state, kind, opened_at, id);
CREATE INDEX ix_lifecycle_version ON lifecycle (version_id, kind, opened_at, id);
CREATE INDEX ix_lifecycle_waiting ON lifecycle (started_at) WHERE is_open = 1 and is_stale = 0;
CREATE INDEX ix_event_environment ON event (environment_id, kind, seq);
CREATE INDEX ix_event_kind ON event (kind, seq);
CREATE INDEX ix_event_lifecycle ON event (lifecycle_id, seq);
CREATE INDEX ix_event_product ON event (product_id, kind, seq);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('event',1);
COMMIT;
