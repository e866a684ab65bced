CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.first_admins (
    user_id uuid NOT NULL,
    password_hash text NOT NULL,
    applied_at timestamp with time zone NOT NULL
);
CREATE TABLE public.forgotten_passwords (
    email text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    try_at timestamp with time zone NOT NULL
);
CREATE TABLE public.password_resets (
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    generation integer DEFAULT 0 NOT NULL,
    refreshed_at timestamp with time zone NOT NULL,
    address text,
    user_agent text,
    ended_at timestamp with time zone,
    unpublished boolean DEFAULT false NOT NULL
);
CREATE TABLE public.users (
    id uuid NOT NULL,
    email text,
    name text,
    password_hash text,
    password_changed_at timestamp with time zone,
    roles text[] NOT NULL,
    roles_version integer DEFAULT 1 NOT NULL,
    roles_changed_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    deleted_at timestamp with time zone,
    CONSTRAINT users_deleted_is_nobody CHECK (((deleted_at IS NULL) = ((email IS NOT NULL) AND (name IS NOT NULL)))),
    CONSTRAINT users_email_lower_case CHECK ((email = lower(email))),
    CONSTRAINT users_password_since CHECK (((password_hash IS NULL) = (password_changed_at IS NULL))),
    CONSTRAINT users_roles_known CHECK (((roles <@ ARRAY['customer'::text, 'staff'::text, 'admin'::text]) AND (cardinality(roles) > 0)))
);
INSERT INTO public._sqlx_migrations VALUES (1, 'users', '2026-11-29 22:47:48.932987+00', true, '\xfd3e78ca1fcc94ee1dc9f4abbaf0e0debf7c0f49a11a240df187730679cf737b438e030f6bae7ad3b50d28b3d7d6cf19', 14532653);
INSERT INTO public._sqlx_migrations VALUES (2, 'sessions', '2026-11-29 22:47:48.948032+00', true, '\xe7a6ef4058faf1b2f831e958b429aeda84d77a44eef994b31dda165cce5f204c279cf9d85c871be20b79324fba75f1ab', 8631966);
INSERT INTO public._sqlx_migrations VALUES (3, 'password resets', '2026-11-29 22:47:48.956905+00', true, '\x5a035666dc14bbd5b40ff7eda07a63ce6dce93da89d3407be8be6d70db76bc1366a62b20588e6b535e505f35af712493', 5391412);
INSERT INTO public._sqlx_migrations VALUES (4, 'first admins', '2026-11-29 22:47:48.963472+00', true, '\x9864a2b564ac5cb740b6f3256890b138caaff5acad6d9ffcacfb65ae2b9dbf887f7ab925361d0572eae9a3a666e47d5e', 3061909);
INSERT INTO public.sessions VALUES ('01a2297e-3fb8-7b18-a7d7-614265451dcb', '01a2297e-3f57-7180-bcf8-45503573bd76', '2026-11-29 22:47:49.433448+00', '2026-11-29 23:47:49.433448+00', 0, '2026-11-29 22:47:49.433448+00', NULL, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', NULL, false);
INSERT INTO public.sessions VALUES ('01a2297e-403a-725f-b97e-8a6e68c9b1e7', '01a2297e-3f57-7180-bcf8-45503573bd76', '2026-11-29 22:47:49.563356+00', '2026-11-29 23:47:49.563356+00', 0, '2026-11-29 22:47:49.563356+00', NULL, '''; drop table sessions; --', NULL, false);
INSERT INTO public.users VALUES ('01a2297e-3f57-7180-bcf8-45503573bd76', 'ada@example.com', 'Ada Lovelace', '$argon2id$v=19$m=19456,t=2,p=1$n68EBNgeJz4oObJJ4Gg9Dw$4TWcVFeT7oS4R46YiDPHwwXRaIa/BcT016ms2bQOHnE', '2026-11-29 22:47:49.33519+00', '{customer}', 1, NULL, '2026-11-29 22:47:49.33519+00', NULL, NULL);
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.first_admins
    ADD CONSTRAINT first_admins_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY public.forgotten_passwords
    ADD CONSTRAINT forgotten_passwords_pkey PRIMARY KEY (email);
ALTER TABLE ONLY public.password_resets
    ADD CONSTRAINT password_resets_pkey PRIMARY KEY (token_hash);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_taken UNIQUE (email);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE INDEX forgotten_passwords_by_time ON public.forgotten_passwords USING btree (try_at);
CREATE INDEX password_resets_by_expiry ON public.password_resets USING btree (expires_at);
CREATE INDEX password_resets_by_user ON public.password_resets USING btree (user_id);
CREATE INDEX sessions_by_expiry ON public.sessions USING btree (expires_at);
CREATE INDEX sessions_by_user ON public.sessions USING btree (user_id, created_at) WHERE (ended_at IS NULL);
CREATE INDEX sessions_ended ON public.sessions USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX sessions_unpublished ON public.sessions USING btree (refreshed_at) WHERE unpublished;
CREATE INDEX users_admins ON public.users USING btree (id) WHERE (('admin'::text = ANY (roles)) AND (disabled_at IS NULL) AND (password_hash IS NOT NULL));
CREATE INDEX users_by_cost ON public.users USING btree (split_part(password_hash, '$'::text, 4)) WHERE (password_hash IS NOT NULL);
CREATE INDEX users_roles_changed ON public.users USING btree (roles_changed_at) WHERE (roles_changed_at IS NOT NULL);
ALTER TABLE ONLY public.first_admins
    ADD CONSTRAINT first_admins_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.password_resets
    ADD CONSTRAINT password_resets_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
