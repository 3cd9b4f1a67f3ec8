"""What people say of the bank: applications, windows, dependencies, targets, exceptions."""

CONTEXT = """\
# What Azure cannot know of the bank. All people, addresses and identifiers in here are invented.
format: readiness/context/1

windows:
  - {{name: saturday, rrule: "FREQ=WEEKLY;BYDAY=SA", start: "20:00", duration: PT8H, timezone: Europe/Berlin}}
  - name: third-sunday
    rrule: "FREQ=MONTHLY;BYDAY=3SU"
    start: "02:00"
    duration: PT6H
    timezone: Europe/Berlin

applications:
  - name: Ledger
    owner: {{name: Henrike Osei-Brandt, email: henrike.osei-brandt@example.com}}
    criticality: mission-critical
    environment: production
    match: {{resource_groups: [rg-ledger]}}
    windows: [third-sunday]
  - name: Custody
    owner: {{name: Falk Meretz, email: falk.meretz@example.com}}
    criticality: mission-critical
    environment: production
    match: {{resource_groups: [rg-custody]}}
    windows: [third-sunday]
  - name: Payments
    owner: {{name: Lioba Marchetti, email: lioba.marchetti@example.com}}
    criticality: mission-critical
    environment: production
    match: {{resource_groups: [rg-payments]}}
    windows: [third-sunday]
  - name: Online banking
    owner: {{name: Karim Sommerfeld, email: karim.sommerfeld@example.com}}
    criticality: high
    environment: production
    match: {{resource_groups: [rg-online]}}
    windows: [saturday]
  - name: Reporting
    owner: {{name: Gesa Thorwald, email: gesa.thorwald@example.com}}
    criticality: medium
    environment: production
    match: {{resource_groups: [rg-reporting]}}
    windows: [saturday]
  - name: Directory
    owner: {{name: Ansgar Quell, email: ansgar.quell@example.com}}
    criticality: mission-critical
    environment: production
    match: {{resource_groups: [rg-directory]}}
    windows: [third-sunday]

dependencies:
  - {{source: kc-web-01, target: kc-api-01}}
  - {{source: kc-web-02, target: kc-api-02}}
  - {{source: kc-web-03, target: kc-api-03}}
  - {{source: kc-api-01, target: kc-mq-01}}
  - {{source: kc-api-02, target: kc-mq-02}}
  - {{source: kc-mq-01, target: kb-ledger-01, hard: true}}
  - {{source: kb-pay-01, target: kb-swift-01, hard: true}}
  - {{source: kb-pay-02, target: kb-gateway-01}}
  - {{source: kb-ledger-01, target: kb-custody-01}}
  - {{source: kb-custody-01, target: kb-db-01}}
  - {{source: kb-db-01, target: ks-dc-01}}
  - {{source: kc-report-01, target: kb-db-03}}

targets:
  - match: {{}}
    trusted_launch: {{secure_boot: true}}
    identity: {{type: system}}
    encryption_at_host: true
  - match: {{resource_groups: [rg-ledger, rg-custody, rg-payments]}}
    disk_encryption_set: {core}
  - match: {{resource_groups: [rg-online, rg-reporting]}}
    disk_encryption_set: {channels}
  - match: {{resource_groups: [rg-directory]}}
    disk_encryption_set: {shared}
  - match: {{names: [kc-report-01]}}
    disk_encryption_set: {broken}
  - match: {{names: [kc-report-02]}}
    disk_encryption_set: {far}

exceptions:
  - id: EX-2025-031
    dimension: cmk
    match: {{names: [kb-custody-01]}}
    owner: Falk Meretz
    reason: A confidential OS disk cannot change its key; the successor is built with one.
    approved_by: Ottilie Brandeis, security office
    expires: 2027-03-31
    compensating_control: Confidential memory, a sealed guest state, and no way in but the jump hosts.
  - id: EX-2024-118
    dimension: cmk
    match: {{names: [kb-custody-02]}}
    owner: Falk Meretz
    reason: As for the first custody machine.
    approved_by: Ottilie Brandeis, security office
    expires: 2026-09-30
    compensating_control: Confidential memory, a sealed guest state, and no way in but the jump hosts.
  - id: EX-2025-044
    dimension: trusted_launch
    match: {{names: [kb-swift-01, kb-gateway-01]}}
    owner: Lioba Marchetti
    reason: The vendor certifies its image without Trusted Launch only.
    approved_by: Ottilie Brandeis, security office
    expires: 2027-04-30
    compensating_control: Isolated subnet, jump hosts only, integrity checked by the vendor every day.
  - id: EX-2025-045
    dimension: password_access
    match: {{names: [kb-swift-01]}}
    owner: Lioba Marchetti
    reason: Nobody but the vendor may change how people log in.
    approved_by: Ottilie Brandeis, security office
    expires: 2027-04-30
    compensating_control: Reached through recorded sessions on the jump hosts only.
  - id: EX-2024-090
    dimension: trusted_launch
    match: {{names: [kb-swift-02]}}
    owner: Lioba Marchetti
    reason: The vendor certifies its image without Trusted Launch only.
    approved_by: Ottilie Brandeis, security office
    expires: 2026-09-15
    compensating_control: Isolated subnet, jump hosts only.
  - id: EX-2026-012
    rule: AC-4
    match: {{names: [kb-db-*, kb-custody-*, kb-gateway-*, kc-report-*, ks-dc-*, ks-jump-*]}}
    owner: Ansgar Quell
    reason: Servers of the domain cannot join Entra as well.
    approved_by: Ottilie Brandeis, security office
    expires: 2027-04-30
    compensating_control: Reached from the jump hosts only, with accounts of the highest tier.

attestations:
  - control: DP-8
    match: {{resource_groups: [rg-ledger, rg-payments]}}
    owner: Henrike Osei-Brandt
    date: 2026-09-12
    expires: 2027-03-12
    statement: Ledger and payments were restored in the yearly exercise, and reconciled.
  - control: DP-8
    match: {{names: [kb-db-*]}}
    owner: Falk Meretz
    date: 2026-08-30
    expires: 2027-02-28
    statement: The custody databases were restored into an empty network, and checked.
  # the exercise is a year and more ago: nobody knows whether it would succeed today
  - control: DP-8
    match: {{resource_groups: [rg-online]}}
    owner: Karim Sommerfeld
    date: 2025-06-14
    expires: 2026-06-14
    statement: One machine of each tier was restored.
  - control: AC-8
    match: {{}}
    owner: Ottilie Brandeis
    date: 2026-07-01
    expires: 2026-12-31
    statement: Administrators sign in with security keys from managed devices.
  - control: AC-10
    match: {{}}
    owner: Ottilie Brandeis
    date: 2026-07-01
    expires: 2026-12-31
    statement: Pipelines deploy into named groups, after two approvals.
  - control: DF-4
    match: {{}}
    owner: Ottilie Brandeis
    date: 2026-07-01
    expires: 2026-12-31
    statement: Block mode is on in the tenant.
  - control: GV-3
    match: {{}}
    owner: Ottilie Brandeis
    date: 2026-07-01
    expires: 2026-12-31
    statement: Every template passes the scanner before it is merged.
"""
