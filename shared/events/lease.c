#include "shared/events/lease.h"

/*
 * Takes it when it is free, expired, or ours already. One that ends later than any lease can was
 * taken before the server's clock was set back: its holder is gone or will renew it.
 */
STATEMENT(lease_take, "any",
          "INSERT INTO leases AS l (name, holder, expires_at) "
          "VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond') "
          "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, "
          "expires_at = excluded.expires_at "
          "WHERE l.holder = excluded.holder OR l.expires_at < clock_timestamp() "
          "OR l.expires_at > clock_timestamp() + 2 * $3 * interval '1 millisecond' "
          "RETURNING l.name");

STATEMENT(lease_give_up, "any", "DELETE FROM leases WHERE name = $1 AND holder = $2");

void lease_init(struct lease *lease, const char *name, const char *holder)
{
    bool fits = text_copy(lease->name, sizeof(lease->name), name) &&
                text_copy(lease->holder, sizeof(lease->holder), holder);

    assert(fits);
    lease->held = false;
    lease->held_until = deadline_in_ms(0);
    lease->renew_at = deadline_in_ms(0);
}

bool lease_is_held(const struct lease *lease)
{
    return lease->held && !deadline_passed(lease->held_until);
}

bool lease_keep(struct lease *lease, struct connection *connection, struct deadline deadline,
                struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    if (!deadline_passed(lease->renew_at))
        return true;
    parameters_add_text(&parameters, lease->name);
    parameters_add_text(&parameters, lease->holder);
    parameters_add_integer(&parameters, LEASE_MS);
    /* Counted from before the question, so it ends here no later than in the database. */
    struct deadline until = deadline_in_ms(LEASE_MS);
    if (!connection_query(connection, &lease_take, &parameters, deadline, &rows, err))
        return false;
    lease->held = rows.count == 1;
    lease->held_until = until;
    lease->renew_at = deadline_in_ms(LEASE_RENEW_MS);
    return true;
}

void lease_release(struct lease *lease, struct connection *connection, struct deadline deadline)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct error err;

    parameters_begin(&parameters);
    parameters_add_text(&parameters, lease->name);
    parameters_add_text(&parameters, lease->holder);
    /* When this fails, the lease simply expires. */
    if (lease->held &&
        connection_query(connection, &lease_give_up, &parameters, deadline, &rows, &err))
        lease->held = false;
}
