/* Arbitrary octets as the fields of a delivery status (RFC 3464). */
#include "fuzz_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_body("From: MAILER-DAEMON@mx.example\nSubject: Undelivered\n"
              "Content-Type: message/delivery-status\n\n",
              data, size);
    return 0;
}
