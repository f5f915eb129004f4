"""`python -m dagster_project.server` takes the options of `dagster api grpc`.

Nothing is imported up here: each run's process reads this file again before it does anything else.
"""

if __name__ == "__main__":
    from dagster_project.server.serving import main

    main()
