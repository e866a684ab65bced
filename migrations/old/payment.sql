CREATE SCHEMA simulator;
CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.attempts (
    id uuid NOT NULL,
    kind text NOT NULL,
    payment_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    method text,
    charge_id uuid,
    status text NOT NULL,
    decline_code text,
    request_id text,
    requested_by uuid,
    idempotency_key text,
    request_hash bytea,
    answer_status smallint,
    answer_body bytea,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT attempts_amount_check CHECK (((amount >= 0) AND (amount <= '9007199254740991'::bigint))),
    CONSTRAINT attempts_check CHECK (((method IS NOT NULL) = (kind = 'charge'::text))),
    CONSTRAINT attempts_check1 CHECK (((charge_id IS NOT NULL) = (kind = 'refund'::text))),
    CONSTRAINT attempts_check2 CHECK (((decline_code IS NOT NULL) = (status = 'declined'::text))),
    CONSTRAINT attempts_check3 CHECK (
CASE kind
    WHEN 'charge'::text THEN (status = ANY (ARRAY['open'::text, 'captured'::text, 'declined'::text, 'abandoned'::text, 'withheld'::text, 'captured_late'::text]))
    ELSE (status = ANY (ARRAY['open'::text, 'refunded'::text]))
END),
    CONSTRAINT attempts_check4 CHECK ((num_nulls(requested_by, idempotency_key, request_hash) = ANY (ARRAY[0, 3]))),
    CONSTRAINT attempts_check5 CHECK ((num_nulls(answer_status, answer_body) = ANY (ARRAY[0, 2]))),
    CONSTRAINT attempts_kind_check CHECK ((kind = ANY (ARRAY['charge'::text, 'refund'::text])))
)
WITH (fillfactor='75');
CREATE TABLE public.declines (
    customer_id uuid NOT NULL,
    declined_at timestamp with time zone NOT NULL,
    attempt_id uuid NOT NULL
);
CREATE TABLE public.holders (
    holder uuid NOT NULL,
    alive_until timestamp with time zone NOT NULL
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
CREATE TABLE public.open_attempts (
    attempt_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    holder uuid NOT NULL,
    due_at timestamp with time zone NOT NULL
);
CREATE TABLE public.outbox (
    id uuid NOT NULL,
    routing_key text NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.payments (
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    customer_id uuid,
    amount bigint,
    currency text,
    status text NOT NULL,
    pay_by timestamp with time zone,
    declines smallint DEFAULT 0 NOT NULL,
    charge_id uuid,
    amount_captured bigint DEFAULT 0 NOT NULL,
    amount_refunded bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT payments_amount_is_exact CHECK (((amount >= 0) AND (amount <= '9007199254740991'::bigint))),
    CONSTRAINT payments_are_requested_or_closed CHECK ((num_nulls(customer_id, amount, currency, pay_by) =
CASE
    WHEN ((customer_id IS NULL) AND (status = 'closed'::text)) THEN 4
    ELSE 0
END)),
    CONSTRAINT payments_check CHECK (((amount_captured = 0) OR (amount_captured = amount))),
    CONSTRAINT payments_check1 CHECK (((amount_refunded >= 0) AND (amount_refunded <= amount_captured))),
    CONSTRAINT payments_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payments_declines_check CHECK ((declines >= 0)),
    CONSTRAINT payments_name_the_charge_of_their_money CHECK (((amount_captured = 0) OR (charge_id IS NOT NULL))),
    CONSTRAINT payments_status_check CHECK ((status = ANY (ARRAY['awaiting_payment'::text, 'captured'::text, 'failed'::text, 'closed'::text])))
)
WITH (fillfactor='75');
CREATE TABLE public.voided_charges (
    attempt_id uuid NOT NULL,
    due_at timestamp with time zone NOT NULL
);
CREATE TABLE simulator.charges (
    key text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    method text NOT NULL,
    status text NOT NULL,
    code text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT charges_amount_check CHECK ((amount >= 0)),
    CONSTRAINT charges_check CHECK (((code IS NOT NULL) = (status = 'declined'::text))),
    CONSTRAINT charges_status_check CHECK ((status = ANY (ARRAY['captured'::text, 'declined'::text, 'void'::text])))
);
CREATE TABLE simulator.refunds (
    key text NOT NULL,
    charge_key text NOT NULL,
    amount bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT refunds_amount_check CHECK ((amount > 0))
);
INSERT INTO public._sqlx_migrations VALUES (1, 'messages', '2026-11-29 22:46:36.645413+00', true, '\x5fc1c98048ba9aa9b1424450e9b0e922b0ac5382c944f94f347e499866b8c467b1ce28e972d819ff18ea1809d9d71a8c', 27241743);
INSERT INTO public._sqlx_migrations VALUES (2, 'payments', '2026-11-29 22:46:36.676559+00', true, '\x605582292fcffb4c419184a50550df1588cd7add2c794662fc7df5f40736ea6197ea8a8f7e64217dc1a21ae98b876cb2', 35634013);
INSERT INTO public._sqlx_migrations VALUES (3, 'simulator', '2026-11-29 22:46:36.71146+00', true, '\xa8dbf1e217c8b1a10051aa1e8be73fbe24f67ee5e9affd78d7366b1d6f2611dc27c58db08bc415eb524f4b64039fce50', 16996595);
INSERT INTO public.attempts VALUES ('01a2297d-242b-7404-9929-fc411c5557a3', 'charge', '01a2297d-242b-7d95-bcc5-5b84d05399e2', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-7d8f-970d-05dd0c6d5a3f', 'charge', '01a2297d-242b-7e71-a0ad-9924920a9455', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-7e23-9578-60a65782ba2c', 'charge', '01a2297d-242b-73a6-818d-b4b12f66b694', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-77c7-94cd-3aa51a176e24', 'charge', '01a2297d-242b-7251-a031-7b85d6f0d5d2', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-727f-ab70-a080c4e9c682', 'charge', '01a2297d-242b-7314-8b75-f1917dbf2b55', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-7a8c-83d8-8afbf35a3e5b', 'charge', '01a2297d-242b-7429-8321-ebf0917cff4a', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-7ca5-a560-c6fad66605d4', 'charge', '01a2297d-242b-793e-a752-cd81e94012d0', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-7b77-a9ca-1a61c566bf26', 'charge', '01a2297d-242b-76f8-8517-581588040a0a', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-76b2-95c2-c25d901aaadb', 'charge', '01a2297d-242b-7604-9437-f43446472da1', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-78d4-9fd6-de15c431f99b', 'charge', '01a2297d-242b-7124-a6fe-82a2e49a8dc6', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-733c-9e13-168f6142dc46', 'charge', '01a2297d-242b-79b6-9de4-43ee1a10efc2', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-71e0-b9d5-99cffefb1d4e', 'charge', '01a2297d-242b-7255-a7df-9d81513198d8', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-7eb5-aa03-4fc6ae3a3163', 'charge', '01a2297d-242b-72d8-8007-3ff27d861d4d', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-745e-83b5-932b70a78f73', 'charge', '01a2297d-242b-76cf-a41b-eaae680ec7c6', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-726c-8912-fbafcad3f4ed', 'charge', '01a2297d-242b-7783-b498-cca5492a3697', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-727f-8675-699bf2cb5a2a', 'charge', '01a2297d-242b-795d-855f-2112419d6ca3', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-7bc0-98c0-bb3004a472ae', 'charge', '01a2297d-242b-799a-8459-dab32369b728', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-72b4-b5a2-54c1d7d27709', 'charge', '01a2297d-242b-7a77-beab-f67f683b83c4', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-7803-9ccf-96a402e52843', 'charge', '01a2297d-242b-7c3b-a35a-b6746e129462', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a2297d-242b-798b-b5d6-f24545a623d8', 'charge', '01a2297d-242b-734a-ac4e-55a822ed35bc', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_declined', NULL, 'declined', 'card_declined', 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a229b3-284b-7ab0-81dc-293efaaa0fec', 'charge', '01a229b3-284b-7cd6-833b-b998c55fd480', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_success', NULL, 'withheld', NULL, 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 23:45:36.843567+00', '2026-11-29 23:45:36.843567+00');
INSERT INTO public.attempts VALUES ('01a229b3-284b-7153-9420-426b2b1ab1c9', 'charge', '01a229b3-284b-7747-b4b3-3d2fed802fdc', '01a2297d-2616-732a-be81-aaebbaeb786d', 1250, 'EUR', 'tok_success', NULL, 'captured', NULL, 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 23:45:36.843567+00', '2026-11-29 23:45:36.843567+00');
INSERT INTO public.attempts VALUES ('01a229b4-12ab-7508-84e0-0bfdc17da73c', 'charge', '01a229b4-12ab-7932-b6b9-5b2250003dd2', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_success', NULL, 'captured', NULL, 'r-1', NULL, NULL, NULL, NULL, NULL, '2026-11-29 23:46:36.843567+00', '2026-11-29 23:46:36.843567+00');
INSERT INTO public.attempts VALUES ('01a229b4-12ab-76d6-8832-11e3ab45b1b8', 'charge', '01a2297d-242b-7cef-b1f9-e6c71101aa26', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'tok_success', NULL, 'captured', NULL, '01a229b4-12ab-7841-99f4-66e0b578c193', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 'test_01a2297d26c171089cf4c2d0e8f226b4', '\x8ae782224a73891445e6e27c822e7e48daf09d621be3512f84d01e03bbd6d11d', 200, '\x7b226964223a2230316132323937642d323432622d376365662d623166392d653663373131303161613236222c226f726465725f6964223a2230316132323937642d323432622d376331372d393463382d346463663061336164373233222c22737461747573223a226361707475726564222c22616d6f756e74223a7b22616d6f756e74223a313235302c2263757272656e6379223a22455552227d2c22616d6f756e745f6361707475726564223a313235302c22616d6f756e745f726566756e646564223a302c227061795f6279223a22323032362d31312d33305430323a30313a33362e3834333536375a222c22637265617465645f6174223a22323032362d31312d32395432323a34363a33362e3834333536375a227d', '2026-11-29 23:46:36.843567+00', '2026-11-29 23:46:36.843567+00');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-7404-9929-fc411c5557a3');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-7d8f-970d-05dd0c6d5a3f');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-7e23-9578-60a65782ba2c');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-77c7-94cd-3aa51a176e24');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-727f-ab70-a080c4e9c682');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-7a8c-83d8-8afbf35a3e5b');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-7ca5-a560-c6fad66605d4');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-7b77-a9ca-1a61c566bf26');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-76b2-95c2-c25d901aaadb');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-78d4-9fd6-de15c431f99b');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-733c-9e13-168f6142dc46');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-71e0-b9d5-99cffefb1d4e');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-7eb5-aa03-4fc6ae3a3163');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-745e-83b5-932b70a78f73');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-726c-8912-fbafcad3f4ed');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-727f-8675-699bf2cb5a2a');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-7bc0-98c0-bb3004a472ae');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-72b4-b5a2-54c1d7d27709');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-7803-9ccf-96a402e52843');
INSERT INTO public.declines VALUES ('01a2297d-249d-75b2-9e3d-dbb880df22e0', '2026-11-29 22:46:36.843567+00', '01a2297d-242b-798b-b5d6-f24545a623d8');
INSERT INTO public.holders VALUES ('01a2297d-242b-7d1a-8407-afb8473d09a2', '2026-11-29 22:46:54.843567+00');
INSERT INTO public.outbox VALUES ('01a229b3-284b-70e9-865f-6062fcdeb5da', 'payment.captured', '{"id":"01a229b3-284b-70e9-865f-6062fcdeb5da","version":1,"occurred_at":"2026-11-29T23:45:36.843567Z","request_id":"r-1","traceparent":null,"type":"payment.captured","payload":{"order_id":"01a229b3-284b-791d-858b-89a9c2eca664","payment_id":"01a229b3-284b-7747-b4b3-3d2fed802fdc","amount":1250}}', '2026-11-29 22:46:37.372285+00');
INSERT INTO public.outbox VALUES ('01a229b4-12ab-79c0-bb07-3563d8a9c956', 'payment.captured', '{"id":"01a229b4-12ab-79c0-bb07-3563d8a9c956","version":1,"occurred_at":"2026-11-29T23:46:36.843567Z","request_id":"r-1","traceparent":null,"type":"payment.captured","payload":{"order_id":"01a229b4-12ab-7e3b-987a-bb4542058eb5","payment_id":"01a229b4-12ab-7932-b6b9-5b2250003dd2","amount":1250}}', '2026-11-29 22:46:37.44297+00');
INSERT INTO public.outbox VALUES ('01a229b4-12ab-7a12-a263-e2f4e6a83da5', 'payment.captured', '{"id":"01a229b4-12ab-7a12-a263-e2f4e6a83da5","version":1,"occurred_at":"2026-11-29T23:46:36.843567Z","request_id":"01a229b4-12ab-7841-99f4-66e0b578c193","traceparent":null,"type":"payment.captured","payload":{"order_id":"01a2297d-242b-7c17-94c8-4dcf0a3ad723","payment_id":"01a2297d-242b-7cef-b1f9-e6c71101aa26","amount":1250}}', '2026-11-29 22:46:37.509097+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7d95-bcc5-5b84d05399e2', '01a2297d-242b-78ae-9d7e-ecf3f23d065c', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7e71-a0ad-9924920a9455', '01a2297d-242b-7c15-8a87-e7fedcd8e268', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-73a6-818d-b4b12f66b694', '01a2297d-242b-7b39-bb8f-a2d4ccd29cb9', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7251-a031-7b85d6f0d5d2', '01a2297d-242b-7a41-bf77-fe26f41a42ef', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7314-8b75-f1917dbf2b55', '01a2297d-242b-7c81-86ba-fe4e27d82c7b', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7429-8321-ebf0917cff4a', '01a2297d-242b-73f1-9973-f644dfaa8629', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-793e-a752-cd81e94012d0', '01a2297d-242b-7be7-b376-cc5050257393', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-76f8-8517-581588040a0a', '01a2297d-242b-797a-ae8f-e575d4d6bd7e', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7604-9437-f43446472da1', '01a2297d-242b-7071-8767-c6f45b54efda', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7124-a6fe-82a2e49a8dc6', '01a2297d-242b-7bac-a27c-5ca16c3e8812', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-79b6-9de4-43ee1a10efc2', '01a2297d-242b-7480-be60-60ae1388360c', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7255-a7df-9d81513198d8', '01a2297d-242b-7ea0-81f0-87964b5310db', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-72d8-8007-3ff27d861d4d', '01a2297d-242b-7178-9f7e-653000bca698', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-76cf-a41b-eaae680ec7c6', '01a2297d-242b-7cf2-9de2-521d35a02aad', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7783-b498-cca5492a3697', '01a2297d-242b-7694-bf33-dbaf6cd7cc10', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-795d-855f-2112419d6ca3', '01a2297d-242b-7e0b-8091-70b3c374b1f7', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-799a-8459-dab32369b728', '01a2297d-242b-7917-af17-fa4bc63d15bc', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7a77-beab-f67f683b83c4', '01a2297d-242b-7b4e-86b8-758422a757ef', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7c3b-a35a-b6746e129462', '01a2297d-242b-79e9-a297-08d746d61785', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-734a-ac4e-55a822ed35bc', '01a2297d-242b-7688-9df3-7b0313758ecc', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-29 23:01:36.843567+00', 1, NULL, 0, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 22:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a229b3-284b-7cd6-833b-b998c55fd480', '01a229b3-284b-7f80-a2e4-8ecacd128017', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'failed', '2026-11-30 00:00:36.843567+00', 0, NULL, 0, 0, '2026-11-29 23:45:36.843567+00', '2026-11-29 23:45:36.843567+00');
INSERT INTO public.payments VALUES ('01a229b3-284b-7747-b4b3-3d2fed802fdc', '01a229b3-284b-791d-858b-89a9c2eca664', '01a2297d-2616-732a-be81-aaebbaeb786d', 1250, 'EUR', 'captured', '2026-11-30 00:00:36.843567+00', 0, '01a229b3-284b-7153-9420-426b2b1ab1c9', 1250, 0, '2026-11-29 23:45:36.843567+00', '2026-11-29 23:45:36.843567+00');
INSERT INTO public.payments VALUES ('01a229b4-12ab-7932-b6b9-5b2250003dd2', '01a229b4-12ab-7e3b-987a-bb4542058eb5', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'captured', '2026-11-30 00:01:36.843567+00', 0, '01a229b4-12ab-7508-84e0-0bfdc17da73c', 1250, 0, '2026-11-29 23:46:36.843567+00', '2026-11-29 23:46:36.843567+00');
INSERT INTO public.payments VALUES ('01a2297d-242b-7cef-b1f9-e6c71101aa26', '01a2297d-242b-7c17-94c8-4dcf0a3ad723', '01a2297d-249d-75b2-9e3d-dbb880df22e0', 1250, 'EUR', 'captured', '2026-11-30 02:01:36.843567+00', 0, '01a229b4-12ab-76d6-8832-11e3ab45b1b8', 1250, 0, '2026-11-29 22:46:36.843567+00', '2026-11-29 23:46:36.843567+00');
INSERT INTO public.voided_charges VALUES ('01a229b3-284b-7ab0-81dc-293efaaa0fec', '2026-11-30 00:02:36.843567+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-7404-9929-fc411c5557a3', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.082103+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-7d8f-970d-05dd0c6d5a3f', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.082356+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-7e23-9578-60a65782ba2c', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.110145+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-77c7-94cd-3aa51a176e24', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.117797+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-727f-ab70-a080c4e9c682', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.11806+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-7ca5-a560-c6fad66605d4', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.122373+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-7a8c-83d8-8afbf35a3e5b', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.1215+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-7b77-a9ca-1a61c566bf26', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.126669+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-76b2-95c2-c25d901aaadb', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.13359+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-78d4-9fd6-de15c431f99b', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.151216+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-71e0-b9d5-99cffefb1d4e', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.151779+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-7eb5-aa03-4fc6ae3a3163', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.152014+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-745e-83b5-932b70a78f73', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.152233+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-726c-8912-fbafcad3f4ed', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.152536+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-727f-8675-699bf2cb5a2a', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.152833+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-7bc0-98c0-bb3004a472ae', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.153326+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-72b4-b5a2-54c1d7d27709', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.153707+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-733c-9e13-168f6142dc46', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.153271+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-7803-9ccf-96a402e52843', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.161094+00');
INSERT INTO simulator.charges VALUES ('01a2297d-242b-798b-b5d6-f24545a623d8', 1250, 'EUR', 'tok_declined', 'declined', 'card_declined', '2026-11-29 22:46:37.160731+00');
INSERT INTO simulator.charges VALUES ('01a229b3-284b-7ab0-81dc-293efaaa0fec', 1250, 'EUR', 'tok_success', 'void', NULL, '2026-11-29 22:46:37.226332+00');
INSERT INTO simulator.charges VALUES ('01a229b3-284b-7153-9420-426b2b1ab1c9', 1250, 'EUR', 'tok_success', 'captured', NULL, '2026-11-29 22:46:37.371181+00');
INSERT INTO simulator.charges VALUES ('01a229b4-12ab-7508-84e0-0bfdc17da73c', 1250, 'EUR', 'tok_success', 'captured', NULL, '2026-11-29 22:46:37.442656+00');
INSERT INTO simulator.charges VALUES ('01a229b4-12ab-76d6-8832-11e3ab45b1b8', 1250, 'EUR', 'tok_success', 'captured', NULL, '2026-11-29 22:46:37.508736+00');
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.declines
    ADD CONSTRAINT declines_pkey PRIMARY KEY (customer_id, declined_at, attempt_id);
ALTER TABLE ONLY public.holders
    ADD CONSTRAINT holders_pkey PRIMARY KEY (holder);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, method, path, key);
ALTER TABLE ONLY public.open_attempts
    ADD CONSTRAINT open_attempts_pkey PRIMARY KEY (attempt_id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_order_id_key UNIQUE (order_id);
ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.voided_charges
    ADD CONSTRAINT voided_charges_pkey PRIMARY KEY (attempt_id);
ALTER TABLE ONLY simulator.charges
    ADD CONSTRAINT charges_pkey PRIMARY KEY (key);
ALTER TABLE ONLY simulator.refunds
    ADD CONSTRAINT refunds_pkey PRIMARY KEY (key);
CREATE INDEX attempts_of_a_payment ON public.attempts USING btree (payment_id, created_at);
CREATE UNIQUE INDEX attempts_one_charge ON public.attempts USING btree (payment_id) WHERE ((kind = 'charge'::text) AND (status = ANY (ARRAY['open'::text, 'captured'::text])));
CREATE INDEX declines_by_age ON public.declines USING btree (declined_at);
CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at);
CREATE INDEX open_attempts_of_a_customer ON public.open_attempts USING btree (customer_id);
CREATE INDEX payments_not_requested ON public.payments USING btree (created_at) WHERE (customer_id IS NULL);
CREATE INDEX payments_of_a_customer ON public.payments USING btree (customer_id, id DESC);
CREATE INDEX voided_charges_by_due ON public.voided_charges USING btree (due_at);
CREATE INDEX refunds_of_a_charge ON simulator.refunds USING btree (charge_key);
ALTER TABLE ONLY simulator.refunds
    ADD CONSTRAINT refunds_charge_key_fkey FOREIGN KEY (charge_key) REFERENCES simulator.charges(key);
