"""Azure Policy definitions and Defender for Cloud assessments that ask what a control asks.

A table that Azure changes: Defender for Cloud renames and retires assessment keys, policies are deprecated.
Nothing here decides anything but which assessment a control looks for.
"""

VERIFIED_ON = "2026-04-17"
"""Release 3.2026.0417.1 of the built-in policies, and the recommendation reference of the same days."""

BENCHMARKS = frozenset(
    (
        "1f3afdf9-d0c9-4c3d-847f-89da613e70a8",
        "e3ec7e09-768c-4b64-882c-fcada3772047",
    )
)
"""Initiatives of the Microsoft cloud security benchmark: the current one, and version 2 in preview."""

POLICIES: dict[str, tuple[str, ...]] = {
    "AC-1": ("b0f33259-77d7-4c9e-aac6-3aabcfae693c",),
    "AC-2": ("22730e10-96f6-4aac-ad84-9383d35b5917",),
    "AC-3": ("630c64f9-8b6b-4c64-b511-6544ceff6fd6",),
    "AC-6": ("e4953962-5ae4-43eb-bb92-d66fd5563487",),
    "AC-9": (
        "fad40cac-a972-4db0-b204-f1b15cced89a",
        "5fe81c49-16b6-4870-9cee-45d13bf902ce",
    ),
    "NW-1": (
        "f6de0be7-9a8a-4b8a-b349-43cf02d22f7c",
        "bb91dfba-c30d-4263-9add-9c2384e659a6",
        "9daedab3-fb2d-461e-b861-71790eead4f6",
    ),
    "NW-2": ("83a86a26-fd1f-447c-b59d-e51f44264114",),
    "NW-4": (
        "8c19196d-7fd7-45b2-a9b4-7288f47c769a",
        "da79a7e2-8aa1-45ed-af81-ba050c153564",
        "fc5e4038-4584-4632-8c85-c0448d374b2c",
    ),
    "NW-5": ("94de2ad3-e0c1-4caf-ad78-5d47bbc83d3d",),
    "NW-8": (
        "4c3c6c5f-0d47-4402-99b8-aa543dd8bcee",
        "27960feb-a23c-4577-8d36-ef8b5f35e0be",
        "2f080164-9f4d-497e-9db6-416dc9f7b48a",
    ),
    "NW-9": ("bd352bd5-2853-4985-bf0d-73806b4a5744",),
    "NW-10": ("7bca8353-aa3b-429b-904a-9229c4385837",),
    "NW-11": ("08e6af2d-db70-460a-bfe9-d5bd474ba9d6",),
    "CP-1": (
        "c95b54ad-0614-4633-ab29-104b01235cbf",
        "b03bb370-5249-4ea4-9fce-2552e87e45fa",
    ),
    "CP-2": ("1c30f9cd-b84c-49cc-aa2c-9288447cc3b3",),
    "CP-3": (
        "97566dd7-78ae-4997-8b36-1c7bfe0d8121",
        "b1bb3592-47b8-4150-8db0-bfdcc2c8965b",
    ),
    "CP-4": (
        "1cb4d9c2-f88f-4069-bee0-dba239a57b09",
        "672fe5a1-2fcd-42d7-b85d-902b6e28c6ff",
        "f6358610-e532-4236-b178-4c65865eb262",
    ),
    "CP-6": (
        "fc9b3da7-8347-4380-8e70-0a0361d8dedd",
        "72650e9f-97bc-4b2a-ab5f-9781a9fcecbc",
    ),
    "CP-10": ("9b597639-28e4-48eb-b506-56b05d366257",),
    "DF-1": (
        "4da35fc9-c9e7-4960-aec9-797fe7d9051d",
        "5f57b753-04b4-4e5e-aa31-c8888984497a",
    ),
    "DF-3": (
        "1ec9c2c2-6d64-656d-6465-3ec3309b8579",
        "d30025d0-6d64-656d-6465-67688881b632",
    ),
    "DF-5": ("501541f7-f7e7-4cd6-868c-4190fdad3ac9",),
    "DF-6": (
        "da56d295-2889-41ce-a4cd-6f50fb93aa68",
        "48666c5d-cec1-4043-ab6b-1be05abb24f2",
    ),
    "MN-1": (
        "1afdc4b6-581a-45fb-b630-f1e6051e3e7a",
        "c02729e5-e5e7-4458-97fa-2b5ad0661f28",
    ),
    "MN-2": (
        "58e891b9-ce13-4ac3-86e4-ac3e1f20cb07",
        "244efd75-0d92-453c-b9a3-7d73ca36ed52",
        "2ea82cdd-f2e8-4500-af75-67a2e084ca74",
    ),
    "MN-3": (
        "d2185817-5b7e-473c-aadd-9de6ac114280",
        "d4b065e2-fbda-4461-a42c-b0346aeb12a0",
    ),
    "DP-3": (
        "fc4d8e41-e223-45ea-9bf5-eada37891d87",
        "3dc5edcd-002d-444c-b216-e123bbfa37c0",
        "ca88aadc-6e2b-416c-9de2-5a0f01d1693f",
    ),
    "DP-4": ("0961003e-5a0a-4549-abde-af6a37f2724d",),
    "DP-5": (
        "702dd420-7fcc-42c5-afe8-4026edd20fe0",
        "ca91455f-eace-4f96-be59-e6e2c35b4816",
        "d461a302-a187-421a-89ac-84acdb4edc04",
    ),
    "DP-6": (
        "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53",
        "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d",
        "d8cf8476-a2ec-4916-896e-992351803c44",
    ),
    "DP-7": (
        "8405fdab-1faf-48aa-b702-999c9c172094",
        "c3921d55-b741-4d16-8d56-7f16e99e6892",
    ),
    "DP-8": ("013e242c-8828-4970-87b3-ab247555486d",),
    "UP-1": (
        "bd876905-5b84-4f73-ab2d-2e7a7c4568d9",
        "59efceea-0c96-497e-a4a1-4eb2290dac15",
    ),
    "UP-2": (
        "9905ca54-1471-49c6-8291-7582c04cd4d4",
        "ba0df93e-e4ac-479a-aac2-134bbae39a1a",
    ),
    "UP-3": ("f85bf3e0-d513-442e-89c3-1784ad63382b",),
    "GV-5": (
        "1f3afdf9-d0c9-4c3d-847f-89da613e70a8",
        "e3ec7e09-768c-4b64-882c-fcada3772047",
    ),
}
"""Policy definitions by control; some are initiatives, some configure, one is deprecated."""

ASSESSMENTS: dict[str, tuple[str, ...]] = {
    "AC-1": ("805651bc-6ecd-4c73-9b55-97a19d0582d0",),
    "AC-2": ("bc303248-3d14-44c2-96a0-55f5c326b5fe",),
    "AC-3": ("22441184-2f7b-d4a0-e00b-4c5eaef4afc9",),
    "NW-1": ("483f12ed-ae23-447e-a2de-a67a10db4353",),
    "CP-2": ("861bbc73-0a55-8d1d-efc6-e92d9e1176e0",),
    "CP-3": (
        "69ad830b-d98c-b1cf-2158-9d69d38c7093",
        "0396b18c-41aa-489c-affd-4ee5d1714a59",
    ),
    "CP-4": (
        "874b14bd-b49e-495a-88c6-46acb89b0a33",
        "e94a7421-fc27-7a4d-e9ba-2ba01384cacd",
        "b7604066-ed76-45f9-a5c1-c97e4812dc55",
    ),
    "CP-6": (
        "1f655fb7-63ca-4980-91a3-56dbc2b715c6",
        "8c3d9ad0-3639-4686-9cd2-2b2ab2609bda",
    ),
    "DF-1": ("56a6e81f-7413-4f72-9a1b-aaeeaa87c872",),
    "DF-3": (
        "06e3a6db-6c0c-4ad9-943f-31d9d73ecf6c",
        "dc5357d0-3858-4d17-a1a3-072840bff5be",
    ),
    "DF-5": (
        "ffff0522-1e88-47fc-8382-2a80ba848f5d",
        "1195afff-c881-495e-9bc5-1486211ae03f",
    ),
    "DF-7": ("9b7d740f-c271-4bfd-88fb-515680c33440",),
    "DP-3": (
        "efbbd784-656d-473a-9863-ea7693bfcd2a",
        "0cb5f317-a94b-6b80-7212-13a9cc8826af",
        "a40cc620-e72c-fdf4-c554-c6ca2cd705c0",
    ),
    "DP-8": ("f2f595ec-5dc6-68b4-82ef-b63563e9c610",),
    "UP-3": ("e1145ab1-eb4f-43d8-911b-36ddf771d13f",),
}
"""Assessment keys by control."""
