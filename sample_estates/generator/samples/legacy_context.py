"""What people say of the haulier: applications, windows, dependencies, targets."""

CONTEXT = """\
# What Azure cannot know of the haulier. All people and addresses in here are invented.
format: readiness/context/1

windows:
  - {name: sunday, rrule: "FREQ=WEEKLY;BYDAY=SU", start: "06:00", duration: PT12H, timezone: Europe/Amsterdam}
  - name: night
    rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH"
    start: "23:00"
    duration: PT5H
    timezone: Europe/Amsterdam

applications:
  - name: Transport planning
    owner: {name: Wout Berendsen, email: wout.berendsen@example.com}
    criticality: mission-critical
    environment: production
    match: {resource_groups: [rg-erp, rg-files]}
    windows: [sunday]
  - name: Customer portal
    owner: {name: Ayla Demirok, email: ayla.demirok@example.com}
    criticality: high
    environment: production
    match: {resource_groups: [rg-web]}
    windows: [night]
  - name: Yard and plant
    owner: {name: Jurre van Tolne, email: jurre.vantolne@example.com}
    criticality: high
    environment: production
    match: {resource_groups: [rg-plant]}
    windows: [sunday]

dependencies:
  - {source: nw-iis-01, target: nw-app-01}
  - {source: nw-iis-02, target: nw-app-02}
  - {source: nw-iis-03, target: nw-app-03}
  - {source: nw-iis-04, target: nw-app-04}
  - {source: nw-app-01, target: nw-sql-01}
  - {source: nw-app-02, target: nw-sql-01}
  - {source: nw-app-03, target: nw-sql-02}
  - {source: nw-app-04, target: nw-sql-02}
  - {source: nw-app-05, target: nw-sql-02}
  # the database asks the planning server for its exchange rates: a circle, and nobody will cut it
  - {source: nw-sql-02, target: nw-app-05}
  - {source: nw-sql-01, target: nw-dc-01}
  - {source: nw-file-01, target: nw-dc-02}
  - {source: nw-rhel-01, target: nw-tms-01}
  - {source: nw-cent-01, target: nw-tms-02}
  - {source: nw-edi-01, target: nw-ftp-01}

targets:
  - match: {}
    trusted_launch: {secure_boot: true}
    identity: {type: system}
"""
