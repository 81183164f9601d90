#include "cmd/report_json.h"

#include "parse/return_path.h"

static void text(struct json_out *json, const char *name, struct dsnd_str value)
{
    json_out_name(json, name);
    json_out_str(json, value);
}

static void word(struct json_out *json, const char *name, const char *value)
{
    text(json, name, dsnd_str_of(value));
}

static void number(struct json_out *json, const char *name, uint32_t value)
{
    json_out_name(json, name);
    if (value)
        json_out_int(json, value);
    else
        json_out_null(json);
}

static void status(struct json_out *json, const char *name, struct report_status value)
{
    char formatted[REPORT_STATUS_SIZE];

    report_status_format(value, formatted);
    word(json, name, formatted[0] ? formatted : NULL);
}

static void write_recipient(struct json_out *json, const struct report_recipient *recipient)
{
    json_out_object(json);
    text(json, "recipient", recipient->recipient);
    text(json, "final_recipient", recipient->final_recipient);
    text(json, "original_recipient", recipient->original_recipient);
    word(json, "action", report_action_name(recipient->action));
    status(json, "status", recipient->status);
    number(json, "smtp_code", recipient->smtp_code);
    status(json, "smtp_status", recipient->smtp_status);
    word(json, "class", report_class_name(recipient->klass));
    word(json, "cause", report_class_name(recipient->cause));
    word(json, "permanence", report_permanence_name(recipient->permanence));
    word(json, "fault", report_fault_name(recipient->fault));
    text(json, "remote_mta", recipient->remote_mta);
    text(json, "provider", recipient->provider);
    text(json, "diagnostic", recipient->diagnostic);
    text(json, "will_retry_until", recipient->will_retry_until);
    text(json, "blocklist", recipient->blocklist);
    number(json, "retry_after_s", recipient->retry_after_s);
    text(json, "rule", recipient->rule);
    text(json, "matched", recipient->matched);
    json_out_object_end(json);
}

static void write_warnings(struct json_out *json, uint32_t warnings)
{
    json_out_name(json, "warnings");
    json_out_array(json);
    for (unsigned bit = 0; bit < 32; bit++)
        if (warnings & UINT32_C(1) << bit)
            json_out_str(json, dsnd_str_of(report_warning_name((enum report_warning)(1u << bit))));
    json_out_array_end(json);
}

static void write_campaign(struct json_out *json, const struct report_returned *returned)
{
    static const struct return_path_keys no_keys;
    struct return_path path = {.verdict = RETURN_PATH_NONE};
    struct dsnd_str campaign = DSND_STR_ABSENT;

    if (returned->return_path.len)
        return_path_verify(&no_keys, returned->return_path, 0, 0, &path);
    if (path.verdict != RETURN_PATH_NONE)
        campaign = dsnd_str_of(path.campaign);
    else if (returned->hint_count)
        campaign = returned->hints[0].value;
    text(json, "campaign", campaign);
}

void report_json_write(struct json_out *json, const struct report *report,
                       const struct report_json_extra *extra)
{
    json_out_object(json);
    text(json, "file", extra->file);
    word(json, "kind", report_kind_name(report->kind));
    if (report->kind == REPORT_KIND_ARF)
        word(json, "feedback", report_feedback_name(report->feedback));
    text(json, "reporting_mta", report->reporting_mta);
    text(json, "arrival_date", report->arrival_date);
    text(json, "envelope_id", report->envelope_id);
    text(json, "message_id", report->message_id);
    text(json, "subject", report->subject);
    text(json, "from", report->from);
    text(json, "returned_message_id", report->returned.message_id);
    text(json, "returned_to", report->returned.to);
    write_campaign(json, &report->returned);
    write_warnings(json, report->warnings);
    if (dsnd_str_present(extra->raw_headers))
        text(json, "raw_headers", extra->raw_headers);
    json_out_name(json, "recipients");
    json_out_array(json);
    for (size_t i = 0; i < report->recipient_count; i++)
        write_recipient(json, &report->recipients[i]);
    json_out_array_end(json);
    json_out_object_end(json);
}
