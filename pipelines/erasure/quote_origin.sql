-- The messages with which quotes go, without those of quotes that went: nothing leads from an empty quote to anybody. Grain: one row per quote and message.
select o.*
from main.quote_origin as o
where o.quote_id not in (
    select gone.quote_id
    from main.quote_origin as gone
    where gone.manifestation_id in (select manifestation_id from due_item)
        or gone.manifestation_id in (select manifestation_id from excluded_item)
)
