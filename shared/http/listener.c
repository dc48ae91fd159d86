#include "shared/http/listener.h"

#include <civetweb.h>
#include <sys/resource.h>

#include "shared/http/exchange.h"
#include "shared/runtime/log.h"

/* Connections that wait for a thread: in the library at most, and in the kernel. */
enum { CONNECTION_QUEUE_MAX = 256 };
#define LISTEN_BACKLOG "4096"

/* Descriptors for everything but clients: databases, bus, peers, files. */
enum { DESCRIPTORS_RESERVED = 128 };

/* However few descriptors there are. */
enum { CONNECTIONS_MIN = 4 };

/* Room for a number, and for "255.255.255.255:65535". */
struct option_text {
    char text[32];
};

static struct option_text option_number(int64_t number)
{
    struct option_text option;

    text_format(option.text, sizeof(option.text), "%lld", (long long)number);
    return option;
}

static struct exchange *exchange_of(const struct mg_connection *connection)
{
    return mg_get_thread_pointer(connection);
}

/* The library's other threads (type 0 and 2) serve nobody. */
static void *start_thread(const struct mg_context *context, int type)
{
    return type == 1 ? exchange_create(mg_get_user_data(context)) : NULL;
}

static void end_thread(const struct mg_context *context, int type, void *exchange)
{
    (void)context;
    if (type == 1)
        exchange_destroy(exchange);
}

static int start_connection(const struct mg_connection *connection, void **data)
{
    struct exchange *exchange = exchange_of(connection);

    (void)data;
    exchange_connect(exchange);
    gate_connected(&exchange->listener->gate);
    return 0;
}

/* The connection is the library's and not yet closed: writing to it is still allowed. */
static void end_connection(const struct mg_connection *connection)
{
    struct exchange *exchange = exchange_of(connection);

    exchange_end(exchange, (struct mg_connection *)connection);
    gate_disconnected(&exchange->listener->gate);
}

/*
 * The one way in. A handler for "/" would be the same, but is found under two locks of the whole
 * listener, and not for OPTIONS with an Origin or a request to upgrade, which the library answers
 * in its own way first.
 */
static int start_request(struct mg_connection *connection)
{
    return exchange_serve(exchange_of(connection), connection);
}

static void end_request(const struct mg_connection *connection, int status)
{
    (void)status;
    exchange_next(exchange_of(connection));
}

static int answer_error(struct mg_connection *connection, int status, const char *message)
{
    (void)message;
    exchange_refuse(exchange_of(connection), connection, status);
    return 0;
}

static int log_library(const struct mg_connection *connection, const char *message)
{
    (void)connection;
    log_warning("civetweb", LOG_TEXT("said", message));
    return 1;
}

static const struct mg_callbacks callbacks = {
    .init_thread = start_thread,
    .exit_thread = end_thread,
    .init_connection = start_connection,
    .connection_close = end_connection,
    .begin_request = start_request,
    .end_request = end_request,
    .http_error = answer_error,
    .log_message = log_library,
};

static uint16_t real_port(const struct mg_context *context)
{
    struct mg_server_port port;

    return mg_get_server_ports(context, 1, &port) == 1 ? (uint16_t)port.port : 0;
}

/* No document_root, ever: the library's file serving has known bugs. */
static struct mg_context *start_library(struct listener *listener, const char *address,
                                        int64_t thread_count)
{
    struct option_text threads = option_number(thread_count);
    struct option_text queue =
        option_number(thread_count < CONNECTION_QUEUE_MAX ? thread_count : CONNECTION_QUEUE_MAX);
    struct option_text head_size = option_number(LISTENER_HEAD_SIZE);
    struct option_text timeout = option_number(listener->settings->request_timeout_ms);
    struct option_text keep_alive = option_number(listener->settings->keep_alive_ms);
    const char *options[] = {
        "listening_ports",
        address,
        "num_threads",
        threads.text,
        "connection_queue",
        queue.text,
        "listen_backlog",
        LISTEN_BACKLOG,
        "max_request_size",
        head_size.text,
        "request_timeout_ms",
        timeout.text,
        "enable_keep_alive",
        "yes",
        "keep_alive_timeout_ms",
        keep_alive.text,
        "tcp_nodelay",
        "1",
        "decode_url",
        "no", /* it would decode the raw path in place, too */
        "decode_query_string",
        "no",
        "enable_auth_domain_check",
        "no",
        "access_control_allow_origin",
        "",
        "access_control_allow_methods",
        "",
        "access_control_allow_headers",
        "",
        NULL,
    };

    return mg_start(&callbacks, listener, options);
}

/*
 * The library goes in circles when it cannot accept for want of descriptors, and everybody else who
 * needs one fails; so no more connections are taken than the limit allows, half of them to wait.
 */
static int64_t connections_affordable(int64_t asked)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return asked;
    int64_t affordable = ((int64_t)limit.rlim_cur - DESCRIPTORS_RESERVED) / 2;
    if (affordable < CONNECTIONS_MIN)
        affordable = CONNECTIONS_MIN;
    if (affordable >= asked)
        return asked;
    log_warning("descriptors are few: fewer connections are served at once",
                LOG_INTEGER("limit", (int64_t)limit.rlim_cur),
                LOG_INTEGER("connections", affordable));
    return affordable;
}

bool listener_start(struct listener *listener, int64_t port, int64_t threads, struct error *err)
{
    char address[64];

    text_format(address, sizeof(address), "%s:%lld", listener->settings->address, (long long)port);
    threads = connections_affordable(threads);
    gate_open(&listener->gate, threads);
    listener->port = (uint16_t)port;
    mg_init_library(0);
    listener->context = start_library(listener, address, threads);
    if (listener->context) {
        listener->port = real_port(listener->context);
        listener->guard = (struct guard){ .gate = &listener->gate, .port = listener->port };
        watchdog_guard(listener->watchdog, &listener->guard);
        return true;
    }
    mg_exit_library();
    gate_release(&listener->gate);
    return error_set(err, ERROR_CONFIGURATION, "port_unavailable", "cannot listen on %s", address);
}

void listener_stop(struct listener *listener)
{
    if (!listener->context)
        return;
    watchdog_unguard(listener->watchdog, &listener->guard);
    /* the library looks at its stop flag every two seconds unless its sockets wake it */
    sockets_end_reading(listener->sockets, listener->port);
    mg_stop(listener->context);
    /* connections that no thread had taken yet are forgotten by the library, open */
    sockets_close(listener->sockets, listener->port);
    mg_exit_library();
    listener->context = NULL;
    gate_release(&listener->gate);
}
