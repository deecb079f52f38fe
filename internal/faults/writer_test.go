package faults

// NoWriterLock lets every hub give places in the log and publish: no lead, no lock, no compare-and-swap, and none of the
// keys and triggers by which the schema refuses what would fork the log.
var NoWriterLock = &Mutant{Name: "no single writer", Edits: []Edit{
	{File: "internal/postgres/lead.go", Old: "SELECT pg_try_advisory_lock($1)", New: "SELECT $1::bigint > 0"},
	{File: "internal/postgres/log.go", Old: "`SELECT 1 FROM log_head FOR UPDATE`", New: "`SELECT 1 FROM log_head`"},
	{File: "internal/postgres/log.go", Old: "headQuery+` FOR UPDATE`", New: "headQuery"},
	{File: "internal/postgres/log.go", Old: "if h.Size != p.Old {", New: "if false {"},
	{File: "internal/postgres/migrations/0001_exchange.sql", Old: `CREATE TRIGGER log_head_grows BEFORE UPDATE ON log_head FOR EACH ROW WHEN (NEW.size <= OLD.size)
    EXECUTE FUNCTION refuse_change('the log only grows');
`, New: "-- nothing\n"},
	{File: "internal/postgres/migrations/0001_exchange.sql", Old: "    size bigint PRIMARY KEY,\n", New: "    size bigint,\n"},
	{
		File: "internal/postgres/migrations/0001_exchange.sql", Old: "    n     bigint PRIMARY KEY CHECK (n >= 0),\n",
		New: "    n     bigint CHECK (n >= 0),\n",
	},
	{
		File: "internal/postgres/migrations/0001_exchange.sql", Old: "    size  bigint REFERENCES checkpoints (size),\n    proof bytea,",
		New: "    size  bigint,\n    proof bytea,",
	},
	{File: "internal/postgres/migrations/0001_exchange.sql", Old: `CREATE TRIGGER places_fixed BEFORE UPDATE ON places FOR EACH ROW
    WHEN (NEW.n <> OLD.n OR NEW.k <> OLD.k OR OLD.body IS NOT NULL
        OR (OLD.size IS NOT NULL AND (NEW.size IS DISTINCT FROM OLD.size OR NEW.proof IS DISTINCT FROM OLD.proof)))
    EXECUTE FUNCTION refuse_change('a place in the log is for ever, and a receipt is built once');
`, New: "-- nothing\n"},
}}
