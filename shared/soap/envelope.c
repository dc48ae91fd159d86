#include "shared/soap/envelope.h"

#include <strings.h>

#include "shared/soap/soap_library.h"

/* Why the parser was told to stop before the end. */
enum stop { STOP_NONE, STOP_DOCTYPE, STOP_DEPTH, STOP_ELEMENTS, STOP_INSTRUCTION };

/* What is counted while the parser works; it hangs at the parser's context. */
struct progress {
    enum stop stop;
    int depth;
    int elements;
};

/* Whatever an option may be worth: nothing outside the document is ever loaded. */
static xmlParserInput *load_nothing(const char *url, const char *id, xmlParserCtxt *parser)
{
    (void)url, (void)id, (void)parser;
    return NULL;
}

bool soap_library_start(void)
{
    xmlInitParser();
    xmlSetExternalEntityLoader(load_nothing);
    return xmlHasFeature(XML_WITH_THREAD) && xmlHasFeature(XML_WITH_SAX1);
}

static void stop(xmlParserCtxt *parser, enum stop why)
{
    struct progress *progress = parser->_private;

    progress->stop = why;
    xmlStopParser(parser);
}

/* The library's callbacks: the first three end the parsing, before anything they announce is read.
 */
static void meet_doctype(void *ctx, const xmlChar *name, const xmlChar *external_id,
                         const xmlChar *system_id)
{
    (void)name, (void)external_id, (void)system_id;
    stop(ctx, STOP_DOCTYPE);
}

static void meet_instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
    (void)target, (void)data;
    stop(ctx, STOP_INSTRUCTION);
}

/* The parameters are libxml2's: NOLINTNEXTLINE(readability-function-size) */
static void open_element(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                         int namespace_count, const xmlChar **namespaces, int attribute_count,
                         int defaulted_count, const xmlChar **attributes)
{
    xmlParserCtxt *parser = ctx;
    struct progress *progress = parser->_private;

    if (++progress->depth > SOAP_DEPTH_MAX)
        stop(parser, STOP_DEPTH);
    else if (++progress->elements > SOAP_ELEMENTS_MAX)
        stop(parser, STOP_ELEMENTS);
    else
        xmlSAX2StartElementNs(ctx, name, prefix, uri, namespace_count, namespaces, attribute_count,
                              defaulted_count, attributes);
}

static void close_element(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    xmlParserCtxt *parser = ctx;
    struct progress *progress = parser->_private;

    progress->depth--;
    xmlSAX2EndElementNs(ctx, name, prefix, uri);
}

static void release_parser(xmlParserCtxt **parser)
{
    xmlFreeParserCtxt(*parser);
}

/* NULL without memory. */
static xmlParserCtxt *make_parser(struct progress *progress)
{
    xmlParserCtxt *parser = xmlNewParserCtxt();

    if (!parser)
        return NULL;
    parser->_private = progress;
    parser->sax->internalSubset = meet_doctype;
    parser->sax->processingInstruction = meet_instruction;
    parser->sax->startElementNs = open_element;
    parser->sax->endElementNs = close_element;
    parser->sax->comment = NULL; /* what is commented out is not there */
    return parser;
}

/* Where it stopped being XML; the library's words quote the text, which may be anybody's secret. */
static bool refuse_text(xmlParserCtxt *parser, struct error *err)
{
    const xmlError *error = xmlCtxtGetLastError(parser);

    if (error && error->code == XML_ERR_NO_MEMORY)
        return error_set(err, ERROR_OVERLOADED, "memory_exhausted", "no memory for the document");
    return error_set(err, ERROR_MALFORMED, "xml_malformed", "line %d, column %d: not well formed",
                     error ? error->line : 1, error ? error->int2 : 1);
}

static bool refuse_stop(enum stop why, struct error *err)
{
    switch (why) {
    case STOP_DOCTYPE:
        return error_set(err, ERROR_MALFORMED, "xml_doctype", "a DOCTYPE is not allowed");
    case STOP_INSTRUCTION:
        return error_set(err, ERROR_MALFORMED, "soap_malformed",
                         "a processing instruction is not allowed");
    case STOP_DEPTH:
        return error_set(err, ERROR_MALFORMED, "xml_malformed", "nested deeper than %d levels",
                         SOAP_DEPTH_MAX);
    case STOP_ELEMENTS:
    case STOP_NONE:
        break;
    }
    return error_set(err, ERROR_MALFORMED, "xml_malformed", "more than %d elements",
                     SOAP_ELEMENTS_MAX);
}

/* What the library would take, and we do not, before it sees it. */
static bool check_bytes(struct span text, struct error *err)
{
    if (text.length > SOAP_BYTES_MAX)
        return error_set(err, ERROR_MALFORMED, "xml_malformed", "more than %d bytes",
                         SOAP_BYTES_MAX);
    if (text.length == 0)
        return error_set(err, ERROR_MALFORMED, "xml_malformed", "an XML document is expected");
    if (!text_is_utf8(text) || memchr(text.at, '\0', text.length))
        return error_set(err, ERROR_MALFORMED, "xml_malformed", "must be UTF-8");
    return true;
}

/* The bytes are UTF-8: a document that says something else of itself means other characters. */
static bool check_encoding(const xmlDoc *document, struct error *err)
{
    if (document->encoding && strcasecmp(soap_library_text(document->encoding), "UTF-8") != 0)
        return error_set(err, ERROR_MALFORMED, "xml_malformed", "the encoding must be UTF-8");
    return true;
}

/* The document is the caller's to free, after a refusal too. */
static bool load(struct span text, xmlDoc **out, struct error *err)
{
    struct progress progress = { .stop = STOP_NONE };
    AUTO(release_parser) xmlParserCtxt *parser = make_parser(&progress);

    if (!parser)
        return error_set(err, ERROR_OVERLOADED, "memory_exhausted", "no memory for the document");
    /* no entity is replaced, because none but XML's five can be declared without a DOCTYPE */
    *out = xmlCtxtReadMemory(parser, text.at, (int)text.length, NULL, NULL,
                             XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                 XML_PARSE_NOCDATA);
    if (progress.stop != STOP_NONE)
        return refuse_stop(progress.stop, err);
    if (!*out || !parser->nsWellFormed) /* a prefix that means nothing, too */
        return refuse_text(parser, err);
    return check_encoding(*out, err);
}

static bool is_of_envelope(const xmlNode *node, const char *name)
{
    return node && strcmp(soap_library_text(node->name), name) == 0 &&
           strcmp(soap_library_namespace(node), SOAP_NAMESPACE) == 0;
}

/* SOAP 1.1, 4.2.3: who does not understand such an entry must not go on. We understand none. */
static bool must_be_understood(xmlNode *header)
{
    for (xmlNode *entry = soap_library_next(header->children); entry;
         entry = soap_library_next(entry->next)) {
        xmlChar *word = xmlGetNsProp(entry, BAD_CAST "mustUnderstand", BAD_CAST SOAP_NAMESPACE);
        bool must = word && strcmp(soap_library_text(word), "0") != 0;

        xmlFree(word);
        if (must)
            return true;
    }
    return false;
}

/* The body, behind at most one header. */
static bool find_body(xmlNode *envelope, xmlNode **out, struct error *err)
{
    if (!is_of_envelope(envelope, "Envelope"))
        return error_set(err, ERROR_MALFORMED, "soap_malformed", "must be a SOAP 1.1 Envelope");
    xmlNode *part = soap_library_next(envelope->children);
    if (is_of_envelope(part, "Header")) {
        if (must_be_understood(part))
            return error_set(err, ERROR_MALFORMED, "soap_malformed",
                             "a header that must be understood is not");
        part = soap_library_next(part->next);
    }
    if (!is_of_envelope(part, "Body"))
        return error_set(err, ERROR_MALFORMED, "soap_malformed", "the Envelope has no Body");
    if (soap_library_next(part->next) || soap_library_has_text(envelope))
        return error_set(err, ERROR_MALFORMED, "soap_malformed",
                         "the Envelope must hold a Header and a Body at most");
    *out = part;
    return true;
}

static bool find_message(xmlNode *envelope, xmlNode **out, struct error *err)
{
    xmlNode *body = NULL;

    if (!find_body(envelope, &body, err))
        return false;
    assert(body);
    xmlNode *message = soap_library_next(body->children);
    if (!message || soap_library_next(message->next) || soap_library_has_text(body))
        return error_set(err, ERROR_MALFORMED, "soap_malformed",
                         "the Body must hold one message and nothing else");
    *out = message;
    return true;
}

bool envelope_parse(struct span text, struct envelope *out, struct error *err)
{
    xmlDoc *document = NULL;
    xmlNode *message = NULL;

    *out = ENVELOPE_EMPTY; /* an automatic release follows a refusal too */
    if (!check_bytes(text, err) || !load(text, &document, err) ||
        !find_message(xmlDocGetRootElement(document), &message, err)) {
        xmlFreeDoc(document);
        return false;
    }
    out->document = soap_library_wrap_document(document);
    out->message = soap_library_wrap_element(message);
    return true;
}

void envelope_release(struct envelope *envelope)
{
    xmlFreeDoc(soap_library_document(envelope->document));
    *envelope = ENVELOPE_EMPTY;
}

const char *envelope_message(const struct envelope *envelope)
{
    return soap_library_text(soap_library_element(envelope->message)->name);
}

const char *envelope_namespace(const struct envelope *envelope)
{
    return soap_library_namespace(soap_library_element(envelope->message));
}
