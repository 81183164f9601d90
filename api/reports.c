/*
 * /v1/reports/{id}: one received message: what it said, its octets, and why it was decided so.
 */
#include <inttypes.h>
#include <stdio.h>

#include "api/names.h"
#include "api/route.h"
#include "api/statuses.h"
#include "parse/report.h"
#include "store/query_status.h"

static const struct field fields[] = {
    [STORE_REPORT_ID] = {"id", FIELD_NUMBER, NULL},
    [STORE_REPORT_CAMPAIGN] = {"campaign", FIELD_STRING, NULL},
    [STORE_REPORT_RECEIVED_AT] = {"received_at", FIELD_TIME, NULL},
    [STORE_REPORT_STORED_AT] = {"stored_at", FIELD_TIME, NULL},
    [STORE_REPORT_KIND] = {"kind", FIELD_NAME, names_kind},
    [STORE_REPORT_FEEDBACK] = {"feedback_type", FIELD_NAME, names_feedback},
    [STORE_REPORT_ATTRIBUTION] = {"attribution", FIELD_NAME, names_attribution},
    [STORE_REPORT_EVIDENCE] = {"evidence", FIELD_NAME, names_evidence},
    [STORE_REPORT_SOURCE] = {"source", FIELD_NAME, names_source},
    [STORE_REPORT_TLS] = {"tls", FIELD_BOOL, NULL},
    [STORE_REPORT_PEER] = {"peer", FIELD_STRING, NULL},
    [STORE_REPORT_HELO] = {"helo", FIELD_STRING, NULL},
    [STORE_REPORT_MAIL_FROM] = {"mail_from", FIELD_STRING, NULL},
    [STORE_REPORT_ENVELOPE_TO] = {"envelope_to", FIELD_JSON, NULL},
    [STORE_REPORT_ENVELOPE_PARAMETERS] = {"envelope_parameters", FIELD_JSON, NULL},
    [STORE_REPORT_SMTP_ENVELOPE_ID] = {"smtp_envelope_id", FIELD_STRING, NULL},
    [STORE_REPORT_ENVELOPE_ID] = {"envelope_id", FIELD_STRING, NULL},
    [STORE_REPORT_REPORTING_MTA] = {"reporting_mta", FIELD_STRING, NULL},
    [STORE_REPORT_ARRIVAL_DATE] = {"arrival_date", FIELD_STRING, NULL},
    [STORE_REPORT_MESSAGE_ID] = {"message_id", FIELD_STRING, NULL},
    [STORE_REPORT_SUBJECT] = {"subject", FIELD_STRING, NULL},
    [STORE_REPORT_FROM_ADDRESS] = {"from", FIELD_STRING, NULL},
    [STORE_REPORT_RETURNED_MESSAGE_ID] = {"returned_message_id", FIELD_STRING, NULL},
    [STORE_REPORT_RETURNED_TO] = {"returned_to", FIELD_STRING, NULL},
    [STORE_REPORT_OCTETS] = {"octets", FIELD_NUMBER, NULL},
    [STORE_REPORT_RECIPIENTS] = {"recipient_count", FIELD_NUMBER, NULL},
    [STORE_REPORT_RECIPIENTS_DROPPED] = {"recipients_dropped", FIELD_NUMBER, NULL},
    [STORE_REPORT_RULES_VERSION] = {"rules_version", FIELD_STRING, NULL},
    [STORE_REPORT_WARNINGS] = {NULL, FIELD_NUMBER, NULL},
    [STORE_REPORT_HAS_RAW] = {"has_raw", FIELD_BOOL, NULL},
};

static void write_warnings(struct json_out *json, const struct store_rows *report)
{
    uint64_t warnings = (uint64_t)store_rows_int(report, 0, STORE_REPORT_WARNINGS);

    json_out_name(json, "warnings");
    json_out_array(json);
    for (unsigned bit = 0; bit < 32; bit++) {
        const char *name = NULL;

        if (warnings >> bit & 1)
            name = report_warning_name((enum report_warning)(1u << bit));
        if (name)
            json_out_str(json, dsnd_str_of(name));
    }
    json_out_array_end(json);
}

static enum dsnd_err load(struct request *request, struct store_conn *conn,
                          struct store_rows **ret_report, struct store_rows **ret_statuses)
{
    enum dsnd_err err;

    if (!statuses_is_id(request->segment[0]))
        return DSND_ERR_NOT_FOUND;
    err = store_report_get(conn, request->segment[0], ret_report);
    return err ? err : store_status_of_report(conn, request->segment[0], ret_statuses);
}

enum dsnd_err reports_get(struct request *request, struct store_conn *conn)
{
    struct store_rows *report = NULL;
    struct store_rows *statuses = NULL;
    struct json_out json;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    err = load(request, conn, &report, &statuses);
    if (err)
        goto out;
    request_json(request, 200, &json);
    json_out_object(&json);
    rows_out_members(&json, fields, sizeof(fields) / sizeof(*fields), report, 0);
    write_warnings(&json, report);
    json_out_name(&json, "recipients");
    json_out_array(&json);
    for (size_t i = 0; i < store_rows_count(statuses); i++)
        rows_out_json(&json, statuses_fields, STORE_STATUS_COLUMNS, statuses, i);
    json_out_array_end(&json);
    json_out_object_end(&json);
    err = request_json_end(request, &json);
out:
    store_rows_free(report);
    store_rows_free(statuses);
    return err;
}

enum dsnd_err reports_raw(struct request *request, struct store_conn *conn)
{
    char disposition[64];
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (!statuses_is_id(request->segment[0]))
        return DSND_ERR_NOT_FOUND;
    err = store_report_raw(conn, request->segment[0], &request->out);
    if (err)
        return err;
    request->status = 200;
    request->content_type = "message/rfc822";
    (void)snprintf(disposition, sizeof(disposition), "attachment; filename=\"%.*s.eml\"",
                   DSND_STR_ARG(dsnd_str_slice(request->segment[0], 0, 20)));
    request_add_header(request, "Content-Disposition", dsnd_str_of(disposition));
    return DSND_OK;
}

/* ---- explain ---- */

/* What each decision rested on, by column of the status. */
static const enum store_status_column decision_columns[] = {
    STORE_STATUS_RECIPIENT,   STORE_STATUS_ACTION,
    STORE_STATUS_STATUS,      STORE_STATUS_SMTP_CODE,
    STORE_STATUS_SMTP_STATUS, STORE_STATUS_DIAGNOSTIC,
    STORE_STATUS_CLASS,       STORE_STATUS_CAUSE,
    STORE_STATUS_PERMANENCE,  STORE_STATUS_FAULT,
    STORE_STATUS_PROVIDER,    STORE_STATUS_RULE,
    STORE_STATUS_MATCHED,     STORE_STATUS_RULES_VERSION,
    STORE_STATUS_EVIDENCE,    STORE_STATUS_PROVEN_RECIPIENT,
};

static const char *why_evidence(int64_t evidence)
{
    static const char *const texts[] = {
        "nothing proves this record: it is kept and never suppresses",
        "it returns a Message-ID or envelope id registered for exactly this recipient",
        "our signature, but the report names somebody else than the address we signed for",
        "our signature, with an id of the sender's own that no registered send explains",
        "our signature, and it proves the address",
    };

    return evidence >= 0 && (size_t)evidence < sizeof(texts) / sizeof(*texts) ? texts[evidence]
                                                                              : NULL;
}

static const char *why_attribution(int64_t attribution)
{
    static const char *const texts[] = {
        "no campaign could be named",
        "the envelope recipient is a return path we signed",
        "the returned message holds a return path we signed",
        "Original-Envelope-Id names it",
        "a configured header of the returned message names it",
        "the returned Message-ID is one of a registered send",
    };

    return attribution >= 0 && (size_t)attribution < sizeof(texts) / sizeof(*texts)
               ? texts[attribution]
               : NULL;
}

static void write_decision(struct json_out *json, const struct store_rows *statuses, size_t row)
{
    json_out_object(json);
    for (size_t i = 0; i < sizeof(decision_columns) / sizeof(*decision_columns); i++) {
        enum store_status_column column = decision_columns[i];

        json_out_name(json, statuses_fields[column].name);
        rows_out_value(json, &statuses_fields[column], store_rows_value(statuses, row, column));
    }
    json_out_name(json, "evidence_because");
    json_out_str(json,
                 dsnd_str_of(why_evidence(store_rows_int(statuses, row, STORE_STATUS_EVIDENCE))));
    json_out_object_end(json);
}

static void write_named(struct json_out *json, const struct store_rows *report,
                        enum store_report_column column)
{
    json_out_name(json, fields[column].name);
    rows_out_value(json, &fields[column], store_rows_value(report, 0, column));
}

enum dsnd_err reports_explain(struct request *request, struct store_conn *conn)
{
    struct store_rows *report = NULL;
    struct store_rows *statuses = NULL;
    struct json_out json;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    err = load(request, conn, &report, &statuses);
    if (err)
        goto out;
    request_json(request, 200, &json);
    json_out_object(&json);
    write_named(&json, report, STORE_REPORT_ID);
    write_named(&json, report, STORE_REPORT_KIND);
    write_named(&json, report, STORE_REPORT_CAMPAIGN);
    write_named(&json, report, STORE_REPORT_ATTRIBUTION);
    json_out_name(&json, "attribution_because");
    json_out_str(&json,
                 dsnd_str_of(why_attribution(store_rows_int(report, 0, STORE_REPORT_ATTRIBUTION))));
    write_named(&json, report, STORE_REPORT_ENVELOPE_TO);
    write_named(&json, report, STORE_REPORT_REPORTING_MTA);
    write_warnings(&json, report);
    json_out_name(&json, "recipients");
    json_out_array(&json);
    for (size_t i = 0; i < store_rows_count(statuses); i++)
        write_decision(&json, statuses, i);
    json_out_array_end(&json);
    json_out_object_end(&json);
    err = request_json_end(request, &json);
out:
    store_rows_free(report);
    store_rows_free(statuses);
    return err;
}
