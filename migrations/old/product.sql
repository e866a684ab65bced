CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.idempotency_keys (
    user_id uuid NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status smallint NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.outbox (
    id uuid NOT NULL,
    routing_key text NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.products (
    id uuid NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    category text,
    attributes jsonb NOT NULL,
    price_amount bigint NOT NULL,
    price_currency text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT products_price_is_exact CHECK (((price_amount >= 1) AND (price_amount <= '9007199254740991'::bigint)))
);
CREATE TABLE public.reservations (
    order_id uuid NOT NULL,
    state text NOT NULL,
    lines jsonb NOT NULL,
    pay_by timestamp with time zone NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT reservations_lines_is_an_object CHECK ((jsonb_typeof(lines) = 'object'::text)),
    CONSTRAINT reservations_state_is_known CHECK ((state = ANY (ARRAY['reserved'::text, 'rejected'::text, 'sold'::text, 'closed'::text, 'fulfilled'::text])))
);
CREATE TABLE public.reservations_let_go (
    is_one boolean DEFAULT true NOT NULL,
    up_to uuid NOT NULL,
    CONSTRAINT reservations_let_go_is_one_check CHECK (is_one)
);
CREATE TABLE public.stock (
    product_id uuid NOT NULL,
    on_hand bigint DEFAULT 0 NOT NULL,
    reserved bigint DEFAULT 0 NOT NULL,
    CONSTRAINT stock_covers_reservations CHECK (((reserved >= 0) AND (reserved <= on_hand)))
)
WITH (fillfactor='70');
CREATE TABLE public.stock_adjustments (
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    by bigint NOT NULL,
    reason text NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL
);
INSERT INTO public._sqlx_migrations VALUES (1, 'messages', '2026-11-29 22:35:29.426238+00', true, '\x5fc1c98048ba9aa9b1424450e9b0e922b0ac5382c944f94f347e499866b8c467b1ce28e972d819ff18ea1809d9d71a8c', 9680049);
INSERT INTO public._sqlx_migrations VALUES (2, 'products', '2026-11-29 22:35:29.439125+00', true, '\x399efdaf109dfb4575306cab0c7bab77f8ffb52daa7a3cdda8a02bf92460cb231016238bda03ffb17ae8766b65031f54', 16137782);
INSERT INTO public._sqlx_migrations VALUES (3, 'stock', '2026-11-29 22:35:29.458841+00', true, '\x98adcdf0c273e79354bd83da51162859913deab5c2a0f87c004b2a8a8c4d48e71a64466e6f9a7be2c0995aeebfe62330', 15676929);
INSERT INTO public._sqlx_migrations VALUES (4, 'reservations', '2026-11-29 22:35:29.474876+00', true, '\xc4139c63d4dea5f5bc4673a1cdb25f266cce73c15266b75dbfe8090e1be39a8590513a2820c9584761ecba98e0bc0a5a', 9088412);
INSERT INTO public.products VALUES ('01a22972-f7f1-7526-90a8-76cf5f06a497', 'MUG', 'Mug', '', NULL, '{}', 1250, 'EUR', 1, '2026-11-29 22:35:30.166497+00', '2026-11-29 22:35:30.166497+00', NULL);
INSERT INTO public.reservations VALUES ('01a22972-f831-7167-a72e-e92eb450f626', 'closed', '{}', '2026-11-29 22:36:30.225532+00', '2026-11-29 22:36:30.832692+00');
INSERT INTO public.reservations VALUES ('01a22973-e580-736a-95a4-61145d26d54c', 'closed', '{"01a22972-f7f1-7526-90a8-76cf5f06a497": 1}', '2026-11-29 22:37:30.976584+00', '2026-11-29 22:37:31.893642+00');
INSERT INTO public.reservations VALUES ('01a22974-d45d-7e46-9492-7e5222ce2fae', 'sold', '{"01a22972-f7f1-7526-90a8-76cf5f06a497": 1}', '2026-11-29 22:38:32.125422+00', '2026-11-29 22:37:32.880671+00');
INSERT INTO public.reservations VALUES ('01a22974-d802-7e05-821d-4af7eeaef8c0', 'reserved', '{"01a22972-f7f1-7526-90a8-76cf5f06a497": 1}', '2026-11-29 22:38:33.058173+00', '2026-11-29 22:37:33.065892+00');
INSERT INTO public.reservations_let_go VALUES (true, '00000000-0000-0000-0000-000000000000');
INSERT INTO public.stock VALUES ('01a22972-f7f1-7526-90a8-76cf5f06a497', 99999, 1);
INSERT INTO public.stock_adjustments VALUES ('01a22972-f822-7ad1-9123-ed93073a737a', '01a22972-f7f1-7526-90a8-76cf5f06a497', 100000, 'counted', '01a22972-f7e5-7f87-a10d-f95ff021accf', '2026-11-29 22:35:30.210241+00');
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, method, path, key);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.reservations_let_go
    ADD CONSTRAINT reservations_let_go_pkey PRIMARY KEY (is_one);
ALTER TABLE ONLY public.reservations
    ADD CONSTRAINT reservations_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY public.stock_adjustments
    ADD CONSTRAINT stock_adjustments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.stock
    ADD CONSTRAINT stock_pkey PRIMARY KEY (product_id);
CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at);
CREATE INDEX products_for_sale ON public.products USING btree (id DESC) WHERE (archived_at IS NULL);
CREATE INDEX products_for_sale_by_category ON public.products USING btree (category, id DESC) WHERE (archived_at IS NULL);
CREATE UNIQUE INDEX products_sku_is_unique ON public.products USING btree (sku) WHERE (archived_at IS NULL);
CREATE INDEX reservations_that_ended ON public.reservations USING btree (pay_by) WHERE (state = ANY (ARRAY['rejected'::text, 'closed'::text, 'fulfilled'::text]));
CREATE INDEX reservations_that_hold ON public.reservations USING btree (pay_by) WHERE (state = 'reserved'::text);
CREATE INDEX stock_adjustments_of_product ON public.stock_adjustments USING btree (product_id, id);
ALTER TABLE ONLY public.stock_adjustments
    ADD CONSTRAINT stock_adjustments_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.products(id);
ALTER TABLE ONLY public.stock
    ADD CONSTRAINT stock_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.products(id);
