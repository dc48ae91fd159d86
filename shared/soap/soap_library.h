/*
 * SOAP library: where a struct soap_element is known to be libxml2's xmlNode. Inside shared/soap
 * only.
 */
#ifndef CHECKOUT_SOAP_SOAP_LIBRARY_H
#define CHECKOUT_SOAP_SOAP_LIBRARY_H

#include <libxml/parser.h>
#include <libxml/tree.h>

#define SOAP_INSTANCE_NAMESPACE "http://www.w3.org/2001/XMLSchema-instance"

struct soap_document;
struct soap_element;

static inline xmlDoc *soap_library_document(struct soap_document *document)
{
    return (xmlDoc *)document;
}

static inline xmlNode *soap_library_element(struct soap_element *element)
{
    return (xmlNode *)element;
}

static inline struct soap_document *soap_library_wrap_document(xmlDoc *document)
{
    return (struct soap_document *)document;
}

static inline struct soap_element *soap_library_wrap_element(xmlNode *element)
{
    return (struct soap_element *)element;
}

/* The library's texts are UTF-8 in unsigned bytes. */
static inline const char *soap_library_text(const xmlChar *text)
{
    return text ? (const char *)text : "";
}

/* "" for none. */
static inline const char *soap_library_namespace(const xmlNode *node)
{
    return node->ns ? soap_library_text(node->ns->href) : "";
}

/* The first element from `node` on among its siblings; NULL for none. */
static inline xmlNode *soap_library_next(xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

/* Text that is not blank stands between the element's children. */
static inline bool soap_library_has_text(const xmlNode *element)
{
    for (xmlNode *node = element->children; node; node = node->next)
        if (node->type != XML_ELEMENT_NODE && !xmlIsBlankNode(node))
            return true;
    return false;
}

#endif
