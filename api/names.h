/*
 * Published names of stored numbers, in the form that field tables take. Any thread.
 */
#ifndef DSND_API_NAMES_H
#define DSND_API_NAMES_H

const char *names_action(int number);
const char *names_class(int number);
const char *names_permanence(int number);
const char *names_fault(int number);
const char *names_kind(int number);
const char *names_feedback(int number);
const char *names_evidence(int number);
const char *names_attribution(int number);
const char *names_source(int number); /* of a report */
const char *names_suppression_op(int number);
const char *names_suppression_source(int number);
const char *names_quarantine(int number);

/* For parameters: every class and action that can be asked for, ended by NULL; the index is not the
 * stored number. */
extern const char *const names_classes[];
extern const char *const names_actions[];
/* The stored number of an index into those lists; -1 for -1. */
int names_class_number(int index);
int names_action_number(int index);

#endif
