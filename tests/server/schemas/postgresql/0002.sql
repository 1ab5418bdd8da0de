CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.api_key (
    id character varying(36) NOT NULL,
    key_id character varying(40) NOT NULL,
    secret_sha256 character varying(64) NOT NULL,
    name character varying(200) NOT NULL,
    scopes json NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    last_used_at bigint
);
CREATE TABLE public.current (
    product_id character varying(36) NOT NULL,
    environment_id character varying(36) NOT NULL,
    lifecycle_id character varying(36),
    version_id character varying(36),
    completed_at bigint,
    last_lifecycle_id character varying(36) NOT NULL,
    last_at bigint NOT NULL
);
CREATE TABLE public.environment (
    id character varying(36) NOT NULL,
    name character varying(200) NOT NULL,
    "position" integer NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.event (
    seq bigint NOT NULL,
    id character varying(36) NOT NULL,
    idempotency_key character varying(255),
    kind character varying(10) NOT NULL,
    state character varying(10) NOT NULL,
    lifecycle_id character varying(36) NOT NULL,
    group_key character varying(36),
    product_id character varying(36) NOT NULL,
    version_id character varying(36) NOT NULL,
    environment_id character varying(36),
    occurred_at bigint NOT NULL,
    received_at bigint NOT NULL,
    is_late boolean NOT NULL,
    is_repeat boolean NOT NULL,
    payload text NOT NULL,
    answer text NOT NULL
);
CREATE SEQUENCE public.event_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.event_seq_seq OWNED BY public.event.seq;
CREATE TABLE public.lifecycle (
    id character varying(36) NOT NULL,
    kind character varying(10) NOT NULL,
    key character varying(36) NOT NULL,
    slot character varying(36) NOT NULL,
    group_key character varying(36),
    product_id character varying(36) NOT NULL,
    version_id character varying(36) NOT NULL,
    environment_id character varying(36),
    state character varying(10) NOT NULL,
    is_open boolean NOT NULL,
    is_stale boolean NOT NULL,
    superseded_by character varying(36),
    adopted_by character varying(36),
    chain_id character varying(36) NOT NULL,
    closed_by character varying(36),
    closed_name character varying(200),
    opened_at bigint NOT NULL,
    pending_at bigint,
    started_at bigint,
    ended_at bigint,
    last_event_at bigint NOT NULL,
    source_system text,
    invoke_id text,
    build_number text,
    actor text,
    branch text,
    sha text,
    repository text,
    url text,
    error text,
    error_code text,
    reason text,
    duration double precision
);
CREATE TABLE public.meta (
    key character varying(40) NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.outbox (
    seq bigint NOT NULL,
    id character varying(36) NOT NULL,
    what character varying(10) NOT NULL,
    chain_id character varying(36) NOT NULL,
    lifecycle_id character varying(36) NOT NULL,
    event_id character varying(36),
    channel character varying(100) NOT NULL,
    mention json NOT NULL,
    state character varying(10) NOT NULL,
    is_reply_due boolean NOT NULL,
    owner character varying(100),
    not_before bigint NOT NULL,
    attempts integer NOT NULL,
    ts character varying(40),
    last_error text,
    created_at bigint NOT NULL,
    sent_at bigint
);
CREATE SEQUENCE public.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.outbox_seq_seq OWNED BY public.outbox.seq;
CREATE TABLE public.preference (
    id character varying(36) NOT NULL,
    event_type character varying(40) NOT NULL,
    channel_id character varying(100) NOT NULL,
    product_name character varying(200),
    environment_name character varying(200),
    mention json NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.product (
    id character varying(36) NOT NULL,
    name character varying(200) NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.slack_channel (
    channel character varying(100) NOT NULL,
    next_at bigint NOT NULL
);
CREATE TABLE public.slack_message (
    chain_id character varying(36) NOT NULL,
    channel character varying(100) NOT NULL,
    place character varying(80) NOT NULL
);
CREATE TABLE public.version (
    id character varying(36) NOT NULL,
    product_id character varying(36) NOT NULL,
    name character varying(200) NOT NULL,
    scm_sha text,
    scm_repository text,
    is_built boolean NOT NULL,
    first_seen_at bigint NOT NULL
);
ALTER TABLE ONLY public.event ALTER COLUMN seq SET DEFAULT nextval('public.event_seq_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN seq SET DEFAULT nextval('public.outbox_seq_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0002');
INSERT INTO public.current VALUES ('5128585b-5a4d-4fff-bf63-62d8f0f55c41', '846f300a-2372-48bf-a1fd-ceed6dd3205b', NULL, NULL, NULL, '75ac02ea-c3a6-4178-b639-f09bbcd52813', 1769860800000000);
INSERT INTO public.environment VALUES ('846f300a-2372-48bf-a1fd-ceed6dd3205b', 'production', 1, 1769860800000000);
INSERT INTO public.event VALUES (1, '951f4f22-e8c1-4e58-a85f-45655a61b985', 'key-0', 'deployment', 'started', '75ac02ea-c3a6-4178-b639-f09bbcd52813', NULL, '5128585b-5a4d-4fff-bf63-62d8f0f55c41', '47dbe09a-3563-411a-9d9a-61e2b6927a57', '846f300a-2372-48bf-a1fd-ceed6dd3205b', 1769860800000000, 1769860800000000, false, false, '{"product_name":"shop","version":"1.4.2","status":"started","extra_metadata":{"vi_occurred_at":"2026-01-31T12:00:00.000000Z"},"environment_name":"production"}', '{"id":"951f4f22-e8c1-4e58-a85f-45655a61b985","event_id":"951f4f22-e8c1-4e58-a85f-45655a61b985","product_id":"5128585b-5a4d-4fff-bf63-62d8f0f55c41","version_id":"47dbe09a-3563-411a-9d9a-61e2b6927a57","environment_id":"846f300a-2372-48bf-a1fd-ceed6dd3205b","deployment_id":"75ac02ea-c3a6-4178-b639-f09bbcd52813","status":"started"}');
INSERT INTO public.lifecycle VALUES ('75ac02ea-c3a6-4178-b639-f09bbcd52813', 'deployment', '1d7b43e8-cd87-54c0-af97-ece5065ec4f9', '1d7b43e8-cd87-54c0-af97-ece5065ec4f9', NULL, '5128585b-5a4d-4fff-bf63-62d8f0f55c41', '47dbe09a-3563-411a-9d9a-61e2b6927a57', '846f300a-2372-48bf-a1fd-ceed6dd3205b', 'started', true, false, NULL, NULL, '75ac02ea-c3a6-4178-b639-f09bbcd52813', NULL, NULL, 1769860800000000, NULL, 1769860800000000, NULL, 1769860800000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.outbox VALUES (1, 'ded14473-6035-4407-8509-dc5941987d2c', 'event', '75ac02ea-c3a6-4178-b639-f09bbcd52813', '75ac02ea-c3a6-4178-b639-f09bbcd52813', '951f4f22-e8c1-4e58-a85f-45655a61b985', 'C0123456789', '[]', 'new', false, NULL, 1769860800000000, 0, NULL, NULL, 1769860800000000, NULL);
INSERT INTO public.preference VALUES ('fdfca7d2-c381-4080-91db-e6df898a48c3', 'deployment.*', 'C0123456789', NULL, NULL, '[]', 1769860800000000);
INSERT INTO public.product VALUES ('5128585b-5a4d-4fff-bf63-62d8f0f55c41', 'shop', 1769860800000000);
INSERT INTO public.slack_channel VALUES ('C0123456789', 1769860800000000);
INSERT INTO public.version VALUES ('47dbe09a-3563-411a-9d9a-61e2b6927a57', '5128585b-5a4d-4fff-bf63-62d8f0f55c41', '1.4.2', NULL, NULL, false, 1769860800000000);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT pk_api_key PRIMARY KEY (id);
ALTER TABLE ONLY public.current
    ADD CONSTRAINT pk_current PRIMARY KEY (product_id, environment_id);
ALTER TABLE ONLY public.environment
    ADD CONSTRAINT pk_environment PRIMARY KEY (id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT pk_event PRIMARY KEY (seq);
ALTER TABLE ONLY public.lifecycle
    ADD CONSTRAINT pk_lifecycle PRIMARY KEY (id);
ALTER TABLE ONLY public.meta
    ADD CONSTRAINT pk_meta PRIMARY KEY (key);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (seq);
ALTER TABLE ONLY public.preference
    ADD CONSTRAINT pk_preference PRIMARY KEY (id);
ALTER TABLE ONLY public.product
    ADD CONSTRAINT pk_product PRIMARY KEY (id);
ALTER TABLE ONLY public.slack_channel
    ADD CONSTRAINT pk_slack_channel PRIMARY KEY (channel);
ALTER TABLE ONLY public.slack_message
    ADD CONSTRAINT pk_slack_message PRIMARY KEY (chain_id, channel);
ALTER TABLE ONLY public.version
    ADD CONSTRAINT pk_version PRIMARY KEY (id);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT uq_api_key_key_id UNIQUE (key_id);
ALTER TABLE ONLY public.environment
    ADD CONSTRAINT uq_environment_name UNIQUE (name);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT uq_event_id UNIQUE (id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT uq_event_idempotency_key UNIQUE (idempotency_key);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT uq_outbox_id UNIQUE (id);
ALTER TABLE ONLY public.product
    ADD CONSTRAINT uq_product_name UNIQUE (name);
ALTER TABLE ONLY public.version
    ADD CONSTRAINT uq_version_product_id_name UNIQUE (product_id, name);
CREATE INDEX ix_event_environment ON public.event USING btree (environment_id, kind, seq);
CREATE INDEX ix_event_kind ON public.event USING btree (kind, seq);
CREATE INDEX ix_event_lifecycle ON public.event USING btree (lifecycle_id, seq);
CREATE INDEX ix_event_product ON public.event USING btree (product_id, kind, seq);
CREATE INDEX ix_lifecycle_adopted_by ON public.lifecycle USING btree (adopted_by);
CREATE INDEX ix_lifecycle_environment ON public.lifecycle USING btree (environment_id, kind, opened_at, id);
CREATE INDEX ix_lifecycle_group_key ON public.lifecycle USING btree (group_key);
CREATE INDEX ix_lifecycle_history ON public.lifecycle USING btree (kind, opened_at, id);
CREATE INDEX ix_lifecycle_key ON public.lifecycle USING btree (key, is_open, opened_at);
CREATE INDEX ix_lifecycle_open ON public.lifecycle USING btree (product_id, environment_id, state) WHERE is_open;
CREATE INDEX ix_lifecycle_product ON public.lifecycle USING btree (product_id, kind, opened_at, id);
CREATE INDEX ix_lifecycle_slot ON public.lifecycle USING btree (slot, is_open, opened_at);
CREATE INDEX ix_lifecycle_state ON public.lifecycle USING btree (state, kind, opened_at, id);
CREATE INDEX ix_lifecycle_version ON public.lifecycle USING btree (version_id, kind, opened_at, id);
CREATE INDEX ix_lifecycle_waiting ON public.lifecycle USING btree (started_at) WHERE (is_open AND (NOT is_stale));
CREATE INDEX ix_outbox_chain ON public.outbox USING btree (chain_id, channel, seq);
CREATE INDEX ix_outbox_due ON public.outbox USING btree (not_before, seq) WHERE ((state)::text = ANY ((ARRAY['new'::character varying, 'sending'::character varying])::text[]));
CREATE INDEX ix_outbox_event_id ON public.outbox USING btree (event_id);
CREATE INDEX ix_outbox_lifecycle_id ON public.outbox USING btree (lifecycle_id);
CREATE INDEX ix_outbox_seen ON public.outbox USING btree (state, seq);
CREATE INDEX ix_preference_created_at_id ON public.preference USING btree (created_at, id);
CREATE INDEX ix_version_first_seen_at_id ON public.version USING btree (first_seen_at, id);
ALTER TABLE ONLY public.current
    ADD CONSTRAINT fk_current_environment_id FOREIGN KEY (environment_id) REFERENCES public.environment(id);
ALTER TABLE ONLY public.current
    ADD CONSTRAINT fk_current_last_lifecycle_id FOREIGN KEY (last_lifecycle_id) REFERENCES public.lifecycle(id);
ALTER TABLE ONLY public.current
    ADD CONSTRAINT fk_current_lifecycle_id FOREIGN KEY (lifecycle_id) REFERENCES public.lifecycle(id);
ALTER TABLE ONLY public.current
    ADD CONSTRAINT fk_current_product_id FOREIGN KEY (product_id) REFERENCES public.product(id);
ALTER TABLE ONLY public.current
    ADD CONSTRAINT fk_current_version_id FOREIGN KEY (version_id) REFERENCES public.version(id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_environment_id FOREIGN KEY (environment_id) REFERENCES public.environment(id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_lifecycle_id FOREIGN KEY (lifecycle_id) REFERENCES public.lifecycle(id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_product_id FOREIGN KEY (product_id) REFERENCES public.product(id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_version_id FOREIGN KEY (version_id) REFERENCES public.version(id);
ALTER TABLE ONLY public.lifecycle
    ADD CONSTRAINT fk_lifecycle_environment_id FOREIGN KEY (environment_id) REFERENCES public.environment(id);
ALTER TABLE ONLY public.lifecycle
    ADD CONSTRAINT fk_lifecycle_product_id FOREIGN KEY (product_id) REFERENCES public.product(id);
ALTER TABLE ONLY public.lifecycle
    ADD CONSTRAINT fk_lifecycle_version_id FOREIGN KEY (version_id) REFERENCES public.version(id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT fk_outbox_lifecycle_id FOREIGN KEY (lifecycle_id) REFERENCES public.lifecycle(id);
ALTER TABLE ONLY public.version
    ADD CONSTRAINT fk_version_product_id FOREIGN KEY (product_id) REFERENCES public.product(id);
SELECT pg_catalog.setval('public.event_seq_seq', 1, true);
SELECT pg_catalog.setval('public.outbox_seq_seq', 1, true);
