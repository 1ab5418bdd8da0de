BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
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
INSERT INTO "current" VALUES('0810aaa4-4b52-43f9-be2e-7d006b524a9f','9e79de91-f3f7-4221-9e01-5f41897b8f09',NULL,NULL,NULL,'9b592e95-2dc1-407a-8ca4-0a098fbc558d',1769860800000000);
CREATE TABLE environment (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	position INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_environment PRIMARY KEY (id), 
	CONSTRAINT uq_environment_name UNIQUE (name)
);
INSERT INTO "environment" VALUES('9e79de91-f3f7-4221-9e01-5f41897b8f09','production',1,1769860800000000);
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
INSERT INTO "event" VALUES(1,'3524210b-82ca-482e-8be8-f50ebdac5d43','key-0','deployment','started','9b592e95-2dc1-407a-8ca4-0a098fbc558d',NULL,'0810aaa4-4b52-43f9-be2e-7d006b524a9f','5a350528-9c16-4b49-ac4b-73412a1c7305','9e79de91-f3f7-4221-9e01-5f41897b8f09',1769860800000000,1769860800000000,0,0,'{"product_name":"shop","version":"1.4.2","status":"started","extra_metadata":{"vi_occurred_at":"2026-01-31T12:00:00.000000Z"},"environment_name":"production"}','{"id":"3524210b-82ca-482e-8be8-f50ebdac5d43","event_id":"3524210b-82ca-482e-8be8-f50ebdac5d43","product_id":"0810aaa4-4b52-43f9-be2e-7d006b524a9f","version_id":"5a350528-9c16-4b49-ac4b-73412a1c7305","environment_id":"9e79de91-f3f7-4221-9e01-5f41897b8f09","deployment_id":"9b592e95-2dc1-407a-8ca4-0a098fbc558d","status":"started"}');
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
INSERT INTO "lifecycle" VALUES('9b592e95-2dc1-407a-8ca4-0a098fbc558d','deployment','1d7b43e8-cd87-54c0-af97-ece5065ec4f9','1d7b43e8-cd87-54c0-af97-ece5065ec4f9',NULL,'0810aaa4-4b52-43f9-be2e-7d006b524a9f','5a350528-9c16-4b49-ac4b-73412a1c7305','9e79de91-f3f7-4221-9e01-5f41897b8f09','started',1,0,NULL,NULL,'9b592e95-2dc1-407a-8ca4-0a098fbc558d',NULL,NULL,1769860800000000,NULL,1769860800000000,NULL,1769860800000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE meta (
	"key" VARCHAR(40) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);
CREATE TABLE outbox (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(36) NOT NULL, 
	what VARCHAR(10) NOT NULL, 
	chain_id VARCHAR(36) NOT NULL, 
	lifecycle_id VARCHAR(36) NOT NULL, 
	event_id VARCHAR(36), 
	channel VARCHAR(100) NOT NULL, 
	mention JSON NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	is_reply_due BOOLEAN NOT NULL, 
	owner VARCHAR(100), 
	not_before BIGINT NOT NULL, 
	attempts INTEGER NOT NULL, 
	ts VARCHAR(40), 
	last_error TEXT, 
	created_at BIGINT NOT NULL, 
	sent_at BIGINT, 
	CONSTRAINT fk_outbox_lifecycle_id FOREIGN KEY(lifecycle_id) REFERENCES lifecycle (id), 
	CONSTRAINT uq_outbox_id UNIQUE (id)
);
INSERT INTO "outbox" VALUES(1,'1062d42a-60c9-443b-b4fd-7dea7a524df6','event','9b592e95-2dc1-407a-8ca4-0a098fbc558d','9b592e95-2dc1-407a-8ca4-0a098fbc558d','3524210b-82ca-482e-8be8-f50ebdac5d43','C0123456789','[]','new',0,NULL,1769860800000000,0,NULL,NULL,1769860800000000,NULL);
CREATE TABLE preference (
	id VARCHAR(36) NOT NULL, 
	event_type VARCHAR(40) NOT NULL, 
	channel_id VARCHAR(100) NOT NULL, 
	product_name VARCHAR(200), 
	environment_name VARCHAR(200), 
	mention JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_preference PRIMARY KEY (id)
);
INSERT INTO "preference" VALUES('34cc3214-5c88-4727-b6ca-73b8d34ec5e2','deployment.*','C0123456789',NULL,NULL,'[]',1769860800000000);
CREATE TABLE product (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_product PRIMARY KEY (id), 
	CONSTRAINT uq_product_name UNIQUE (name)
);
INSERT INTO "product" VALUES('0810aaa4-4b52-43f9-be2e-7d006b524a9f','shop',1769860800000000);
CREATE TABLE slack_channel (
	channel VARCHAR(100) NOT NULL, 
	next_at BIGINT NOT NULL, 
	CONSTRAINT pk_slack_channel PRIMARY KEY (channel)
);
INSERT INTO "slack_channel" VALUES('C0123456789',1769860800000000);
CREATE TABLE "slack_message" (
	chain_id VARCHAR(36) NOT NULL, 
	channel VARCHAR(100) NOT NULL, 
	place TEXT NOT NULL, 
	CONSTRAINT pk_slack_message PRIMARY KEY (chain_id, channel)
);
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
INSERT INTO "version" VALUES('5a350528-9c16-4b49-ac4b-73412a1c7305','0810aaa4-4b52-43f9-be2e-7d006b524a9f','1.4.2',NULL,NULL,0,1769860800000000);
CREATE INDEX ix_version_first_seen_at_id ON version (first_seen_at, id);
CREATE INDEX ix_lifecycle_adopted_by ON lifecycle (adopted_by);
CREATE INDEX ix_lifecycle_environment ON lifecycle (environment_id, kind, opened_at, id);
CREATE INDEX ix_lifecycle_history ON lifecycle (kind, opened_at, id);
CREATE INDEX ix_lifecycle_key ON lifecycle ("key", is_open, opened_at);
CREATE INDEX ix_lifecycle_product ON lifecycle (product_id, kind, opened_at, id);
CREATE INDEX ix_lifecycle_slot ON lifecycle (slot, is_open, opened_at);
CREATE INDEX ix_lifecycle_state ON lifecycle (state, kind, opened_at, id);
CREATE INDEX ix_lifecycle_version ON lifecycle (version_id, kind, opened_at, id);
CREATE INDEX ix_lifecycle_waiting ON lifecycle (started_at) WHERE is_open = 1 and is_stale = 0;
CREATE INDEX ix_event_environment ON event (environment_id, kind, seq);
CREATE INDEX ix_event_kind ON event (kind, seq);
CREATE INDEX ix_event_lifecycle ON event (lifecycle_id, seq);
CREATE INDEX ix_event_product ON event (product_id, kind, seq);
CREATE INDEX ix_preference_created_at_id ON preference (created_at, id);
CREATE INDEX ix_outbox_chain ON outbox (chain_id, channel, seq);
CREATE INDEX ix_outbox_event_id ON outbox (event_id);
CREATE INDEX ix_outbox_lifecycle_id ON outbox (lifecycle_id);
CREATE INDEX ix_outbox_seen ON outbox (state, seq);
CREATE INDEX ix_outbox_unsent ON outbox (channel, seq) WHERE state in ('new', 'sending');
CREATE INDEX ix_event_version ON event (version_id, kind, seq);
CREATE INDEX ix_version_name ON version (name);
CREATE INDEX ix_lifecycle_place ON lifecycle (product_id, environment_id, kind, opened_at, id);
CREATE INDEX ix_lifecycle_group ON lifecycle (group_key, is_open, opened_at);
CREATE INDEX ix_lifecycle_open ON lifecycle (product_id, environment_id, state, opened_at) WHERE is_open = 1;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('event',1);
INSERT INTO "sqlite_sequence" VALUES('outbox',1);
COMMIT;
