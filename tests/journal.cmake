# Tests of the journal.
foreach(name journal journal_faults)
    dsnd_unit_test(${name} LIBS dsnd_ingest Threads::Threads SOURCES support/journal_kit.c)
endforeach()
dsnd_unit_test(crash LIBS dsnd_ingest SOURCES support/journal_kit.c ${PROJECT_SOURCE_DIR}/cmd/crash.c)
dsnd_fuzz_target(journal LIBS dsnd_ingest)
