"""What people say of the shop: applications, windows, dependencies, exceptions, attestations."""

CONTEXT = """\
# What Azure cannot know of the bakery. All people and addresses in here are invented.
format: readiness/context/1

windows:
  - name: before-baking
    rrule: "FREQ=WEEKLY;BYDAY=MO,TU"
    start: "01:00"
    duration: PT3H
    timezone: Europe/Stockholm
  - name: sunday-afternoon
    rrule: "FREQ=WEEKLY;BYDAY=SU"
    start: "14:00"
    duration: PT5H
    timezone: Europe/Stockholm

applications:
  - name: Web shop
    owner: {{name: Saga Lindholm-Reyes, email: saga.lindholm-reyes@example.com}}
    criticality: high
    environment: production
    match: {{resource_groups: [rg-shop], tags: {{app: shop}}}}
    windows: [before-baking, sunday-afternoon]
  - name: Administration
    owner: {{name: Bo Kasprzak, email: bo.kasprzak@example.com}}
    criticality: low
    environment: production
    match: {{names: [shop-jump-*]}}
    windows: [sunday-afternoon]

dependencies:
  - {{source: shop-web-01, target: shop-app-01}}
  - {{source: shop-web-02, target: shop-app-02}}
  - {{source: shop-web-03, target: shop-app-03}}
  - {{source: shop-web-04, target: shop-app-04}}
  - {{source: shop-web-05, target: shop-app-04}}
  - {{source: shop-app-01, target: shop-pg-01, hard: true}}
  - {{source: shop-app-02, target: shop-pg-01, hard: true}}
  - {{source: shop-app-03, target: shop-search-01}}
  - {{source: shop-app-04, target: shop-queue-01}}
  - {{source: shop-erp-01, target: shop-sql-01}}
  - {{source: shop-sql-01, target: shop-dc-01}}
  - {{source: shop-sql-02, target: shop-dc-02}}
  - {{source: shop-print-01, target: shop-queue-02}}

targets:
  - match: {{}}
    trusted_launch: {{secure_boot: true}}
    identity: {{type: system}}
    disk_encryption_set: {keys}
    encryption_at_host: true

exceptions:
  - id: EX-7
    rule: AC-4
    match: {{names: [shop-dc-*]}}
    owner: Saga Lindholm-Reyes
    reason: A domain controller cannot join Entra as well.
    approved_by: Iben Skoglund, security
    expires: 2027-04-15
    compensating_control: Administrators come through Bastion, with accounts that are made for it.

attestations:
  - control: DP-8
    match: {{names: [shop-web-*, shop-app-*, shop-search-*, shop-queue-*, shop-pg-*, shop-sql-*, shop-dc-*]}}
    owner: Saga Lindholm-Reyes
    date: 2026-09-28
    expires: 2027-03-28
    statement: One VM of each tier was restored into an empty network, and answered.
  - control: AC-8
    match: {{}}
    owner: Iben Skoglund
    date: 2026-10-05
    expires: 2027-04-05
    statement: Administrators sign in with passkeys, from devices that are managed.
  - control: AC-10
    match: {{}}
    owner: Iben Skoglund
    date: 2026-10-05
    expires: 2027-04-05
    statement: The one pipeline has a role on rg-shop only, and waits for two people.
  - control: DF-4
    match: {{}}
    owner: Iben Skoglund
    date: 2026-10-05
    expires: 2027-04-05
    statement: Block mode was seen switched on in the tenant.
  # this word was given for half a year, and nobody has renewed it
  - control: GV-3
    match: {{}}
    owner: Bo Kasprzak
    date: 2026-03-02
    expires: 2026-09-02
    statement: Templates are scanned before they are merged.
"""
