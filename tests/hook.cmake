dsnd_unit_test(hook LIBS dsnd_hook)
dsnd_unit_test(hook_post LIBS dsnd_hook Threads::Threads)
