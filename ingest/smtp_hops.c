#include "ingest/smtp_hops.h"

#include <stdint.h>

unsigned smtp_hops_count(struct dsnd_str message)
{
    unsigned hops = 0;

    while (message.len && message.ptr[0] != '\r' && hops < SMTP_HOPS_MAX) {
        size_t lf = dsnd_str_chr(message, '\n');

        if (dsnd_str_istarts(message, DSND_STR("Received:")))
            hops++;
        if (lf == SIZE_MAX)
            break;
        message = dsnd_str_slice(message, lf + 1, message.len);
    }
    return hops;
}
