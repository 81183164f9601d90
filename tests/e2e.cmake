# The whole service: SMTP, journal, PostgreSQL, HTTP. Each skips aloud where something is missing.
function(dsnd_e2e_test name)
    add_test(NAME e2e/${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/e2e/${name}.sh ${ARGN})
    set_tests_properties(e2e/${name} PROPERTIES LABELS e2e TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

dsnd_e2e_test(demo $<TARGET_FILE:dsnd> $<TARGET_FILE:dsnd-demo>)
dsnd_e2e_test(corpus $<TARGET_FILE:dsnd> ${PROJECT_SOURCE_DIR}/../shared/corpus/messages)
dsnd_e2e_test(outage $<TARGET_FILE:dsnd> $<TARGET_FILE:dsnd-demo>)
dsnd_e2e_test(webhooks $<TARGET_FILE:dsnd> $<TARGET_FILE:dsnd-demo>)
dsnd_e2e_test(webhooks_killed $<TARGET_FILE:dsnd> $<TARGET_FILE:dsnd-demo>)
dsnd_e2e_test(webhook_ends $<TARGET_FILE:dsnd>)
dsnd_e2e_test(restore $<TARGET_FILE:dsnd> $<TARGET_FILE:dsnd-demo>)
dsnd_e2e_test(first_campaign $<TARGET_FILE:dsnd> ${PROJECT_SOURCE_DIR}/README.md)
dsnd_e2e_test(receipts $<TARGET_FILE:dsnd>)
dsnd_e2e_test(import $<TARGET_FILE:dsnd>)
dsnd_e2e_test(reload $<TARGET_FILE:dsnd>)
dsnd_e2e_test(reclassify $<TARGET_FILE:dsnd> ${PROJECT_SOURCE_DIR}/parse/rules/builtin.rules
    ${PROJECT_SOURCE_DIR}/../shared/corpus/messages)
dsnd_e2e_test(ingest $<TARGET_FILE:dsnd>)
dsnd_e2e_test(ingest_mta $<TARGET_FILE:dsnd>)
set_tests_properties(e2e/ingest_mta PROPERTIES RUN_SERIAL ON
    ENVIRONMENT DSND_MTA_DIR=${CMAKE_CURRENT_BINARY_DIR}/mta)
dsnd_e2e_test(install $<TARGET_FILE:dsnd> ${PROJECT_BINARY_DIR})

# The same driven from Python.
foreach(name forgery lists)
    add_test(NAME e2e/${name}
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/support/pg_cluster.sh run
            python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_${name}.py $<TARGET_FILE:dsnd>)
    set_tests_properties(e2e/${name} PROPERTIES LABELS e2e TIMEOUT 300 SKIP_RETURN_CODE 77)
endforeach()

# The README names what there is.
add_test(NAME lint/readme COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/readme.sh $<TARGET_FILE:dsnd>
    ${PROJECT_SOURCE_DIR}/README.md)
set_tests_properties(lint/readme PROPERTIES LABELS lint TIMEOUT 60)

add_test(NAME e2e/quickstart COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/quickstart.sh
    ${PROJECT_SOURCE_DIR}/quickstart)
set_tests_properties(e2e/quickstart PROPERTIES LABELS e2e TIMEOUT 120 SKIP_RETURN_CODE 77)
