#include "shared/bus/mqtt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include "shared/base/buffer.h"
#include "shared/crypto/hash.h"
#include "shared/runtime/log.h"

enum { KEEP_ALIVE_S = 15 };

/* From connect() to CONNACK: a broker that is frozen accepts connections and says nothing. */
enum { CONNACK_MS = 5000 };

struct mqtt {
    struct mosquitto *library; /* one connection's: made anew for each, so that nothing is left */
    struct mqtt_settings settings;
    bool connecting; /* CONNECT was sent, CONNACK is due */
    bool connected;
    int64_t backoff_ms;
    struct deadline next_attempt;
    struct deadline connack_due;
};

bool mqtt_library_start(void)
{
    return mosquitto_lib_init() == MOSQ_ERR_SUCCESS;
}

static void schedule_attempt(struct mqtt *mqtt)
{
    int64_t half = mqtt->backoff_ms / 2;

    mqtt->next_attempt = deadline_in_ms(half + (int64_t)random_below((uint32_t)half + 1));
    mqtt->backoff_ms *= 2;
    if (mqtt->backoff_ms > MQTT_BACKOFF_MAX_MS)
        mqtt->backoff_ms = MQTT_BACKOFF_MAX_MS;
}

/* Once per lost connection, however it was noticed. */
static void note_lost(struct mqtt *mqtt)
{
    bool was_connected = mqtt->connected;

    if (!mqtt->connected && !mqtt->connecting)
        return;
    mqtt->connected = false;
    mqtt->connecting = false;
    schedule_attempt(mqtt);
    if (was_connected && mqtt->settings.on_disconnected != NULL)
        mqtt->settings.on_disconnected(mqtt->settings.ctx);
}

/* ---- The library's callbacks -------------------------------------------------------------- */

static void connected(struct mosquitto *library, void *ctx, int reason, int flags,
                      const mosquitto_property *properties)
{
    struct mqtt *mqtt = ctx;

    (void)library;
    (void)flags;
    (void)properties;
    if (reason != 0) {
        log_warning("broker refused the connection", LOG_INTEGER("reason", reason));
        return;
    }
    mqtt->connecting = false;
    mqtt->connected = true;
    mqtt->backoff_ms = MQTT_BACKOFF_MIN_MS;
    if (mqtt->settings.on_connected != NULL)
        mqtt->settings.on_connected(mqtt->settings.ctx);
}

static void disconnected(struct mosquitto *library, void *ctx, int reason,
                         const mosquitto_property *properties)
{
    (void)library;
    (void)reason;
    (void)properties;
    note_lost(ctx);
}

static void subscribed(struct mosquitto *library, void *ctx, int message, int count,
                       const int *granted, const mosquitto_property *properties)
{
    struct mqtt *mqtt = ctx;

    (void)library;
    (void)message;
    (void)properties;
    for (int i = 0; i < count; i++)
        if (granted[i] >= 0x80)
            log_warning("broker refused a subscription", LOG_INTEGER("reason", granted[i]));
    if (mqtt->settings.on_subscribed != NULL)
        mqtt->settings.on_subscribed(mqtt->settings.ctx);
}

static enum mqtt_published judge(int reason)
{
    switch (reason) {
    case MQTT_RC_SUCCESS:
    case MQTT_RC_NO_MATCHING_SUBSCRIBERS:
        return MQTT_PUBLISHED;
    case MQTT_RC_NOT_AUTHORIZED:
    case MQTT_RC_TOPIC_NAME_INVALID:
    case MQTT_RC_PACKET_TOO_LARGE:
    case MQTT_RC_PAYLOAD_FORMAT_INVALID:
        return MQTT_PUBLISH_REFUSED;
    default:
        return MQTT_PUBLISH_FAILED;
    }
}

static void published(struct mosquitto *library, void *ctx, int message, int reason,
                      const mosquitto_property *properties)
{
    struct mqtt *mqtt = ctx;

    (void)library;
    (void)properties;
    if (mqtt->settings.on_published != NULL)
        mqtt->settings.on_published(mqtt->settings.ctx, message, judge(reason));
}

static void received(struct mosquitto *library, void *ctx, const struct mosquitto_message *message,
                     const mosquitto_property *properties)
{
    struct mqtt *mqtt = ctx;

    (void)library;
    (void)properties;
    if (mqtt->settings.on_message != NULL)
        mqtt->settings.on_message(mqtt->settings.ctx, message->topic,
                                  (struct span){ message->payload, (size_t)message->payloadlen });
}

/* ---- Making one --------------------------------------------------------------------------- */

static struct mosquitto *make_library_client(struct mqtt *mqtt)
{
    char client_id[128];
    uint8_t tail[6];

    random_fill(tail, sizeof(tail));
    text_format(client_id, sizeof(client_id), "%s-%02x%02x%02x%02x%02x%02x",
                mqtt->settings.client_id, tail[0], tail[1], tail[2], tail[3], tail[4], tail[5]);
    struct mosquitto *library = mosquitto_new(client_id, true, mqtt);
    assert(library != NULL);
    return library;
}

static void set_options(struct mosquitto *library, const struct mqtt_settings *settings)
{
    /* Packets are only queued by the calls that make them, never written: see the header. */
    mosquitto_threaded_set(library, true);
    mosquitto_int_option(library, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(library, MOSQ_OPT_RECEIVE_MAXIMUM, MQTT_WINDOW);
    mosquitto_int_option(library, MOSQ_OPT_SEND_MAXIMUM, MQTT_WINDOW);
    mosquitto_int_option(library, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_username_pw_set(library, settings->username, settings->password);
}

static void set_callbacks(struct mosquitto *library)
{
    mosquitto_connect_v5_callback_set(library, connected);
    mosquitto_disconnect_v5_callback_set(library, disconnected);
    mosquitto_subscribe_v5_callback_set(library, subscribed);
    mosquitto_publish_v5_callback_set(library, published);
    mosquitto_message_v5_callback_set(library, received);
}

static void set_will(struct mosquitto *library, const struct mqtt_settings *settings)
{
    if (settings->will_topic == NULL)
        return;
    int failed =
        mosquitto_will_set_v5(library, settings->will_topic, (int)strlen(settings->will_payload),
                              settings->will_payload, 1, true, NULL);
    assert(failed == MOSQ_ERR_SUCCESS);
}

static char *copy_of(const char *text)
{
    return text != NULL ? memory_copy_text(span_of(text)) : NULL;
}

struct mqtt *mqtt_create(const struct mqtt_settings *settings)
{
    struct mqtt *mqtt = memory_allocate_zeroed(1, sizeof(*mqtt));

    mqtt->settings = *settings;
    mqtt->settings.host = copy_of(settings->host);
    mqtt->settings.username = copy_of(settings->username);
    mqtt->settings.password = copy_of(settings->password);
    mqtt->settings.client_id = copy_of(settings->client_id);
    mqtt->settings.will_topic = copy_of(settings->will_topic);
    mqtt->settings.will_payload = copy_of(settings->will_payload);
    mqtt->backoff_ms = MQTT_BACKOFF_MIN_MS;
    mqtt->next_attempt = deadline_in_ms(0);
    return mqtt;
}

static void free_settings(struct mqtt_settings *settings)
{
    free((char *)settings->host);
    free((char *)settings->username);
    free((char *)settings->password);
    free((char *)settings->client_id);
    free((char *)settings->will_topic);
    free((char *)settings->will_payload);
}

void mqtt_destroy(struct mqtt *mqtt)
{
    if (mqtt == NULL)
        return;
    if (mqtt->connected) {
        mqtt->connected = false; /* going is not losing: on_disconnected is not told */
        mosquitto_disconnect_v5(mqtt->library, MQTT_RC_NORMAL_DISCONNECTION, NULL);
        mosquitto_loop_write(mqtt->library, 1);
    }
    mosquitto_destroy(mqtt->library);
    free_settings(&mqtt->settings);
    free(mqtt);
}

/* ---- Its loop ----------------------------------------------------------------------------- */

bool mqtt_is_connected(const struct mqtt *mqtt)
{
    return mqtt->connected;
}

int mqtt_socket(const struct mqtt *mqtt)
{
    return mqtt->connected || mqtt->connecting ? mosquitto_socket(mqtt->library) : -1;
}

bool mqtt_wants_write(const struct mqtt *mqtt)
{
    return mqtt_socket(mqtt) >= 0 && mosquitto_want_write(mqtt->library);
}

/* The library takes an errno of long ago for its socket's, and stops reading too early. */
void mqtt_read(struct mqtt *mqtt)
{
    errno = 0;
    if (mqtt_socket(mqtt) >= 0 && mosquitto_loop_read(mqtt->library, 1) != MOSQ_ERR_SUCCESS)
        note_lost(mqtt);
}

/* The kernel keeps what is written until it is uncorked, or until a segment is full. */
static void cork(const struct mqtt *mqtt, bool corked)
{
    int value = corked;
    int failed = setsockopt(mqtt_socket(mqtt), IPPROTO_TCP, TCP_CORK, &value, sizeof(value));

    (void)failed; /* more segments than need be, nothing else */
}

/* The library writes each packet by itself: a page of them is to leave at once. */
void mqtt_write(struct mqtt *mqtt)
{
    if (!mqtt_wants_write(mqtt))
        return;
    cork(mqtt, true);
    if (mosquitto_loop_write(mqtt->library, 1) == MOSQ_ERR_SUCCESS)
        cork(mqtt, false);
    else
        note_lost(mqtt);
}

void mqtt_drop(struct mqtt *mqtt)
{
    note_lost(mqtt);
    mosquitto_destroy(mqtt->library);
    mqtt->library = NULL;
}

static void start_connecting(struct mqtt *mqtt)
{
    mosquitto_destroy(mqtt->library);
    mqtt->library = make_library_client(mqtt);
    set_options(mqtt->library, &mqtt->settings);
    set_callbacks(mqtt->library);
    set_will(mqtt->library, &mqtt->settings);
    mqtt->connecting = true;
    mqtt->connack_due = deadline_in_ms(CONNACK_MS);
    /* Not waiting for the handshake: a frozen broker would hold this thread for minutes. */
    int failed = mosquitto_connect_bind_async(mqtt->library, mqtt->settings.host,
                                              (int)mqtt->settings.port, KEEP_ALIVE_S, NULL);
    if (failed != MOSQ_ERR_SUCCESS)
        note_lost(mqtt);
}

void mqtt_tick(struct mqtt *mqtt)
{
    if (mqtt->connecting && deadline_passed(mqtt->connack_due))
        note_lost(mqtt);
    if (!mqtt->connected && !mqtt->connecting) {
        if (deadline_passed(mqtt->next_attempt))
            start_connecting(mqtt);
        return;
    }
    if (mosquitto_loop_misc(mqtt->library) != MOSQ_ERR_SUCCESS)
        note_lost(mqtt);
}

/* ---- What it sends ------------------------------------------------------------------------ */

static mosquitto_property *make_properties(const struct mqtt_message *what)
{
    mosquitto_property *properties = NULL;
    int failed = 0;

    if (what->content_type != NULL)
        failed |=
            mosquitto_property_add_string(&properties, MQTT_PROP_CONTENT_TYPE, what->content_type);
    for (size_t i = 0; i < what->property_count; i++)
        failed |= mosquitto_property_add_string_pair(
            &properties, MQTT_PROP_USER_PROPERTY, what->properties[i][0], what->properties[i][1]);
    assert(failed == 0);
    return properties;
}

enum mqtt_published mqtt_publish(struct mqtt *mqtt, const struct mqtt_message *what, int *message)
{
    if (!mqtt->connected)
        return MQTT_PUBLISH_FAILED;
    mosquitto_property *properties = make_properties(what);
    int failed =
        mosquitto_publish_v5(mqtt->library, message, what->topic, (int)what->payload.length,
                             what->payload.at, 1, what->retain, properties);
    mosquitto_property_free_all(&properties);
    if (failed == MOSQ_ERR_OVERSIZE_PACKET || failed == MOSQ_ERR_PAYLOAD_SIZE ||
        failed == MOSQ_ERR_INVAL || failed == MOSQ_ERR_MALFORMED_UTF8)
        return MQTT_PUBLISH_REFUSED;
    return failed == MOSQ_ERR_SUCCESS ? MQTT_PUBLISH_QUEUED : MQTT_PUBLISH_FAILED;
}

bool mqtt_subscribe(struct mqtt *mqtt, const char *filter)
{
    return mqtt->connected &&
           mosquitto_subscribe_v5(mqtt->library, NULL, filter, 1, 0, NULL) == MOSQ_ERR_SUCCESS;
}
