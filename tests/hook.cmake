dsnd_unit_test(hook LIBS dsnd_hook)
