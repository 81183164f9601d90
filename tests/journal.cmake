# Tests of the journal.
foreach(name journal)
    dsnd_unit_test(${name} LIBS dsnd_ingest Threads::Threads SOURCES support/journal_kit.c)
endforeach()
dsnd_fuzz_target(journal LIBS dsnd_ingest)
