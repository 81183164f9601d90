# Tests of the receiver in ingest/.

foreach(name smtp_budget smtp_dot smtp_line smtp_path smtp_peers smtp_proxy smtp_reply smtp_wire)
    dsnd_unit_test(${name} LIBS dsnd_ingest)
endforeach()
target_compile_definitions(test_smtp_wire PRIVATE WIRE_DIR="${CMAKE_CURRENT_SOURCE_DIR}/wire")
set_tests_properties(unit/smtp_wire PROPERTIES LABELS "unit;wire")
dsnd_fuzz_target(smtp_session LIBS dsnd_ingest)
dsnd_fuzz_target(proxy LIBS dsnd_ingest)

foreach(name doctor floods mta receiver submit)
    add_test(NAME e2e/smtp_${name}
        COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/smtp/test_${name}.py $<TARGET_FILE:dsnd>)
    set_tests_properties(e2e/smtp_${name} PROPERTIES LABELS e2e TIMEOUT 300 SKIP_RETURN_CODE 77 RUN_SERIAL ON
        ENVIRONMENT DSND_MTA_DIR=${CMAKE_CURRENT_BINARY_DIR}/mta)
endforeach()
dsnd_unit_test(tls_ticket LIBS dsnd_ingest OpenSSL::SSL OpenSSL::Crypto)
dsnd_unit_test(confine LIBS dsnd_base SOURCES ${PROJECT_SOURCE_DIR}/cmd/confine.c
    ${PROJECT_SOURCE_DIR}/cmd/confine_calls.c)
dsnd_unit_test(receipt LIBS dsnd_relay)
