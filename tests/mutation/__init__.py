"""How much the tests notice: small random changes of the modules that decide about money, and who
sees each.

    make mutation                                   the table, and every change that nobody saw
    python -m tests.mutation --only money --all     every change of one module
    python -m tests.mutation --seed 2               another draw

`modules.toml` says what is changed and by which tests; `equivalent.toml` names the changes that
change nothing, each with its reason. A change lives in the memory of a forked process: no file of
the project is touched.

    changes.py   the changes of a module, from its syntax tree
    hook.py      a process in which one module is changed, and every process that it starts
    warm.py      a process that has imported what is heavy, and its forks
    collected.py a pytest session in it with every test collected, forked once for each trial
    trial.py     what a fork does: the change, and the tests until one fails
    cover.py     one run of all tests: which test runs which line, and how long it takes
"""
