/*
 * Numbers that the database stores, and the names the API publishes for them. Numbers never change.
 */
#ifndef DSND_STORE_CODES_H
#define DSND_STORE_CODES_H

/* How far a status record may be believed; weaker first. */
enum store_evidence {
    STORE_EVIDENCE_NONE = 0,
    STORE_EVIDENCE_MATCHED = 1,      /* unsigned, but returns an id registered for this recipient */
    STORE_EVIDENCE_SIGNED_OTHER = 2, /* our signature, but the mailer names somebody else */
    STORE_EVIDENCE_SIGNED_REF = 3,   /* our signature with a ref that proves no address */
    STORE_EVIDENCE_SIGNED = 4,       /* our signature, and it proves the address */
};

/* What named a report's campaign. */
enum store_attribution {
    STORE_ATTRIBUTION_NONE = 0,
    STORE_ATTRIBUTION_RETURN_PATH = 1, /* signed return path of the envelope */
    STORE_ATTRIBUTION_RETURNED = 2,    /* signed return path in the returned message */
    STORE_ATTRIBUTION_ENVELOPE_ID = 3, /* Original-Envelope-Id */
    STORE_ATTRIBUTION_HEADER = 4,      /* a configured header of the returned message */
    STORE_ATTRIBUTION_MESSAGE_ID = 5,  /* Message-ID of a registered send */
};

/* State of a delivery; the larger number is the stronger outcome. */
enum store_state {
    STORE_STATE_SENT = 0,
    STORE_STATE_DELAYED = 1,
    STORE_STATE_HANDED_OFF = 2,
    STORE_STATE_DELIVERED = 3,
    STORE_STATE_FAILED = 4,
};

/* The part of the failure rate to which a failed delivery belongs. */
enum store_kind {
    STORE_KIND_NONE = 0,
    STORE_KIND_HARD = 1,
    STORE_KIND_SOFT = 2,
    STORE_KIND_BLOCK = 3,
};

/* What happened to a suppression. */
enum store_suppression_op {
    STORE_SUPPRESSION_ADD = 1,
    STORE_SUPPRESSION_LIFT = 2,
    STORE_SUPPRESSION_EXPIRE = 3,
    STORE_SUPPRESSION_ERASE = 4,
    STORE_SUPPRESSION_HOLD = 5, /* of the history of an address only, as the next */
    STORE_SUPPRESSION_DROP = 6,
};

/* Who asked for a suppression. */
enum store_suppression_source {
    STORE_SUPPRESSION_POLICY = 1,
    STORE_SUPPRESSION_API = 2,
    STORE_SUPPRESSION_IMPORT = 3,
};

/* Published names, static; NULL for a number that is none of the enum's. */
const char *store_evidence_name(enum store_evidence evidence);
const char *store_attribution_name(enum store_attribution attribution);
const char *store_state_name(enum store_state state);
const char *store_suppression_op_name(enum store_suppression_op op);
const char *store_suppression_source_name(enum store_suppression_source source);

#endif
