-- What CJ holds of every order that is open, a row each, kept from plan to plan: the money gate compares each night with all of it. It is made of
-- cj.commissions alone. placed_at: of its first record; locks_at: null where a record has no lock date; sold_…: of its original records alone.
CREATE TABLE IF NOT EXISTS cj.held_open (
    advertiser_id text NOT NULL, action_tracker_id bigint NOT NULL, order_id text NOT NULL,
    placed_at timestamp with time zone, locks_at timestamp with time zone,
    sale_amount decimal(38, 10) NOT NULL, order_discount decimal(38, 10) NOT NULL,
    sold_amount decimal(38, 10) NOT NULL, sold_discount decimal(38, 10) NOT NULL
);

-- The last reading of Commission Detail whose records are counted in it.
CREATE TABLE IF NOT EXISTS cj.held_open_until (advertiser_id text NOT NULL, reading bigint NOT NULL);

-- The reading by which CJ had moved its status. Null: nobody saw it move.
ALTER TABLE cj.commissions ADD COLUMN IF NOT EXISTS status_reading bigint
