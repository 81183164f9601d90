#include <stdint.h>

#include "parse/prose_reader.h"

size_t prose_reader_add(struct prose_reader *self, struct dsnd_str address)
{
    struct report *report = self->draft->report;
    struct report_recipient *recipient;

    for (size_t i = self->first; i < report->recipient_count; i++)
        if (dsnd_str_ieq(report->recipients[i].recipient, address))
            return i;
    if (address.len > self->draft->limits->address_octets)
        return SIZE_MAX;
    recipient = draft_add(self->draft);
    if (!recipient)
        return SIZE_MAX;
    recipient->recipient = address;
    recipient->action = self->action;
    return report->recipient_count - 1;
}
