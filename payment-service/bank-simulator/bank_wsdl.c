#include "payment-service/bank-simulator/bank_wsdl.h"

/* Made of bank.wsdl by the build. */
#include "payment-service/bank-simulator/bank_wsdl_lines.h"

static const char *const lines[] = { BANK_WSDL_LINES };

void bank_wsdl_write(struct buffer *out)
{
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        buffer_append(out, lines[i]);
        if (i + 1 < COUNT_OF(lines)) /* the last one is what stands behind the last line feed */
            buffer_append(out, "\n");
    }
}
