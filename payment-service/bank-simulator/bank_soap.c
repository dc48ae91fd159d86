#include "payment-service/bank-simulator/bank_soap.h"

#include "payment-service/bank-simulator/bank_message.h"
#include "payment-service/bank-simulator/bank_wsdl.h"

/* HTTP 500 is how SOAP 1.1 tells of any fault (section 6.2). */
enum { HTTP_FAULT = 500 };

/* ---- Faults --------------------------------------------------------------------------------- */

struct blame {
    const char *whose; /* faultcode */
    const char *code;
};

/* What bank.wsdl promises: a client's fault, and "unavailable", mean that nothing was done. */
static struct blame blame_for(const struct error *err)
{
    switch (err->kind) {
    case ERROR_MALFORMED:
        return (struct blame){ "Client", "malformed" };
    case ERROR_UNAUTHENTICATED:
        return (struct blame){ "Client", "unauthenticated" };
    case ERROR_VALIDATION:
    case ERROR_NOT_FOUND:
    case ERROR_CONFLICT:
        return (struct blame){ "Client", err->code };
    case ERROR_UNAVAILABLE:
    case ERROR_OVERLOADED:
    case ERROR_DEADLINE:
    case ERROR_TRANSIENT:
        return (struct blame){ "Server", "unavailable" };
    default:
        return (struct blame){ "Server", "internal" };
    }
}

/* A faultstring, for people: of several wrong fields, the first. */
static void explain(const struct error *err, const struct blame *blame, char *out, size_t size)
{
    const struct error_field *field = err->fields;

    if (strcmp(blame->whose, "Server") == 0)
        text_copy(out, size, "The bank could not do that.");
    else if (err->kind == ERROR_VALIDATION && err->field_count > 0)
        text_format(out, size, "%s %s", field->pointer, field->detail);
    else
        text_copy(out, size, err->detail);
}

static bool answer_fault(struct reply *reply, const struct error *err)
{
    struct blame blame = blame_for(err);
    char text[sizeof(err->detail)];

    explain(err, &blame, text, sizeof(text));
    buffer_clear(&reply->body);
    envelope_fault(&reply->body, blame.whose, text_is_utf8(span_of(text)) ? text : "", blame.code);
    reply->status = HTTP_FAULT;
    reply->content_type = SOAP_CONTENT_TYPE;
    if (err->retry_after_s > 0)
        reply_set_header(reply, "Retry-After", "%lld", (long long)err->retry_after_s);
    return true;
}

/* ---- Calls ---------------------------------------------------------------------------------- */

/* What came in with a message. */
struct message {
    struct door *door;
    struct bank_message content;
    struct bank_outcome outcome;
};

static bool find_record(struct message *message, struct visit *visit, struct bank_record *out,
                        struct error *err)
{
    struct desk_call call = { .place = &visit->place,
                              .instruction = &message->content.instruction,
                              .card = visit->operation == BANK_AUTHORIZE ? &visit->card : NULL,
                              .verdict = &message->outcome.verdict,
                              .deadline = visit->deadline };
    struct bank_key key = { visit->place, visit->call.reference };
    struct desk_answer answer;

    if (visit->operation == BANK_LOOK_UP)
        return desk_look_up(door_desk(message->door), &key, visit->deadline, out, err);
    if (!desk_perform(door_desk(message->door), &call, &answer, err))
        return false;
    visit->call.effect = answer.effect;
    *out = answer.record;
    return true;
}

static bool perform(void *ctx, struct visit *visit, struct reply *reply, struct error *err)
{
    struct message *message = ctx;
    struct bank_view view = { visit->place.bank, desk_public_url(door_desk(message->door)) };
    const char *response = bank_message_response(visit->operation);
    struct bank_record record;

    if (!find_record(message, visit, &record, err))
        return false;
    envelope_begin(&reply->body, BANK_NAME_SPACE, response);
    bank_message_write_record(&reply->body, &record, &view);
    envelope_end(&reply->body, response);
    reply->content_type = SOAP_CONTENT_TYPE;
    return true;
}

static void take_content(struct message *message, struct visit *visit)
{
    struct bank_instruction *instruction = &message->content.instruction;

    visit->card = message->content.card;
    bank_card_wipe(&message->content.card);
    visit_note(visit, instruction);
    if (visit->operation == BANK_AUTHORIZE)
        message->outcome = bank_outcome_of(&visit->card, instruction->money.amount);
    visit->manner = message->outcome.manner;
}

static bool read_operation(const struct envelope *envelope, enum bank_operation *out,
                           struct error *err)
{
    if (strcmp(envelope_namespace(envelope), BANK_NAME_SPACE) == 0 &&
        bank_message_operation(envelope_message(envelope), out))
        return true;
    return error_set(err, ERROR_MALFORMED, "soap_malformed", "The bank knows no such message.");
}

/* The message, and whose it is: all that is known before a call is counted as one. */
static bool read_message(struct message *message, const struct request *req, struct visit *visit,
                         struct error *err)
{
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;

    return door_find(message->door, req, SPEAKS_SOAP, &visit->place.bank, err) &&
           envelope_parse(req->body, &envelope, err) &&
           read_operation(&envelope, &visit->operation, err) &&
           bank_message_read(&envelope, visit->operation, &message->content, err) &&
           door_read_account(span_of(message->content.account), &visit->place, err);
}

static bool serve(struct message *message, struct visit *visit, struct reply *reply,
                  struct error *err)
{
    take_content(message, visit);
    door_enter(message->door, visit);
    bool done = door_serve(message->door, visit, reply, err);
    door_leave(message->door, visit, done ? reply : NULL, err);
    return done;
}

/* POST /{bank}/soap */
static bool post_message(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    struct message message = { .door = ctx };
    struct visit visit = { .deadline = req->caller.deadline, .act = perform, .ctx = &message };
    bool read = read_message(&message, req, &visit, err);
    bool done = read && serve(&message, &visit, reply, err);

    bank_card_wipe(&message.content.card);
    return done || answer_fault(reply, err);
}

/* GET /{bank}/soap?wsdl, without a key: who wants to speak has to know the language first. */
static bool get_description(void *ctx, const struct request *req, struct reply *reply,
                            struct error *err)
{
    char name[BANK_NAME_SIZE];
    const struct bank *bank =
        text_copy_span(name, sizeof(name), req->segments[0]) ? bank_find(name) : NULL;

    (void)ctx;
    if (!bank || !bank->speaks_soap)
        return error_set(err, ERROR_NOT_FOUND, "bank_not_found",
                         "No bank of that name speaks this language.");
    if (strcmp(req->query, "wsdl") != 0)
        return error_set(err, ERROR_NOT_FOUND, "not_found", "Here is ?wsdl, for GET.");
    bank_wsdl_write(&reply->body);
    reply->content_type = SOAP_CONTENT_TYPE;
    return true;
}

static const struct route routes[] = {
    { HTTP_POST, "/{bank}/soap", 0, ROUTE_PUBLIC | ROUTE_BODY | ROUTE_XML | ROUTE_SECRET_BODY,
      post_message },
    { HTTP_GET, "/{bank}/soap", 0, ROUTE_PUBLIC, get_description },
};

void bank_soap_add_routes(struct router *router, struct door *door)
{
    router_add(router, routes, COUNT_OF(routes), door);
}
