/*
 * CRC-32C (Castagnoli, as in RFC 3720 appendix B.4): the checksum of journal records. Uses the
 * processor's instruction where it has one. Pure, any thread.
 */
#ifndef DSND_BASE_CRC32C_H
#define DSND_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `octets` behind those that gave `crc`; 0 to begin. */
uint32_t crc32c(uint32_t crc, const void *octets, size_t len);
/* The same by table, which processors without the instruction use. */
uint32_t crc32c_portable(uint32_t crc, const void *octets, size_t len);

#endif
