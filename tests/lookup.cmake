# Tests of what mail servers ask.
dsnd_unit_test(lookup LIBS dsnd_lookup)
dsnd_fuzz_target(lookup LIBS dsnd_lookup)
add_test(NAME e2e/lookup
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/support/pg_cluster.sh run
        python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_lookup.py $<TARGET_FILE:dsnd>)
set_tests_properties(e2e/lookup PROPERTIES LABELS e2e TIMEOUT 300 SKIP_RETURN_CODE 77 RUN_SERIAL ON
    ENVIRONMENT DSND_MTA_DIR=${CMAKE_CURRENT_BINARY_DIR}/mta)
