/*
 * Little-endian numbers in octets, for what the journal stores. Pure, any thread.
 */
#ifndef DSND_INGEST_JOURNAL_OCTETS_H
#define DSND_INGEST_JOURNAL_OCTETS_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void journal_put_u16(char *dst, uint16_t value)
{
    value = htole16(value);
    memcpy(dst, &value, sizeof(value));
}

static inline void journal_put_u32(char *dst, uint32_t value)
{
    value = htole32(value);
    memcpy(dst, &value, sizeof(value));
}

static inline void journal_put_u64(char *dst, uint64_t value)
{
    value = htole64(value);
    memcpy(dst, &value, sizeof(value));
}

static inline uint16_t journal_get_u16(const char *src)
{
    uint16_t value;

    memcpy(&value, src, sizeof(value));
    return le16toh(value);
}

static inline uint32_t journal_get_u32(const char *src)
{
    uint32_t value;

    memcpy(&value, src, sizeof(value));
    return le32toh(value);
}

static inline uint64_t journal_get_u64(const char *src)
{
    uint64_t value;

    memcpy(&value, src, sizeof(value));
    return le64toh(value);
}

#endif
