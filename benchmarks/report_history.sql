-- What `report_history.py` fills a warehouse with, month by month; everything follows from the place of an item by hashes.
-- Grain: named beside each statement.

-- name: words
-- The grammar. No row.
create or replace temp macro draw(place, what, n) as (hash(place, what) % n)::bigint;
create or replace temp macro pick(words, place, what) as words[1 + draw(place, what, len(words))];
create or replace temp macro a_opening(place) as [
    'Buenas tardes', 'Vecinos', 'Hola', 'Señores', 'Oigan', 'Estimados', 'Amigos', 'Alcalde', 'Otra vez', 'Por favor', '', ''
][1 + draw(place, 'opening', 12)];
create or replace temp macro a_matter(place) as [
    'hay huecos enormes', 'no pasa el camión recolector', 'roban celulares cada noche', 'falta alumbrado',
    'el agua llega turbia', 'los buses corren sin respeto', 'cobran cupos en el mercado', 'la posta no tiene pastillas',
    'botan desmonte', 'hay ruido de parlantes', 'los ambulantes tapan la vereda', 'el semáforo está malogrado',
    'no riegan las plantas', 'la loza deportiva está rota', 'el desagüe rebalsa', 'quedó bonito el parque',
    'la vacunación fue ordenada', 'el serenazgo respondió rápido', 'hay perros sueltos', 'construyen sin permiso',
    'la matrícula del colegio demora', 'piden coima en ventanilla', 'la cola del banco invade todo', 'fumigaron las casas',
    'repartieron canastas', 'la combi atropelló a un niño', 'el cerro se desmorona', 'la losa se inunda'
][1 + draw(place, 'matter', 28)];
create or replace temp macro a_place_kind(place) as [
    'avenida', 'jirón', 'calle', 'urbanización', 'asociación', 'parque', 'paradero', 'mercado'
][1 + draw(place, 'place_kind', 8)];
create or replace temp macro a_detail(place) as [
    'desde hace meses', 'y nadie contesta', 'cerca del colegio inicial', 'frente a la comisaría', 'todas las madrugadas',
    'aunque pagamos arbitrios', 'según cuentan los comerciantes', 'después de la lluvia', 'por culpa de la contratista',
    'como dijo el regidor', 'en plena pandemia', 'con los adultos mayores esperando', 'mientras gastan en fiestas',
    'al costado de la iglesia'
][1 + draw(place, 'detail', 14)];
create or replace temp macro a_request(place) as [
    'manden una cuadrilla', 'queremos respuesta', 'felicito al personal', 'pongan cámaras', 'hagan inspección', 'ojalá continúe',
    'necesitamos ayuda urgente', 'fiscalicen bien', 'devuelvan nuestra plata', 'vengan a verificar', 'gracias por escuchar',
    'ya presentamos tres expedientes', 'firmaremos un memorial', 'que renuncie el gerente'
][1 + draw(place, 'request', 14)];
create or replace temp macro a_syllable(place, nth) as ['ba', 'ce', 'di', 'fo', 'gu', 'la', 'me', 'ni', 'po', 'ru', 'sa', 'te'][1 + draw(place, nth, 12)];
create or replace temp macro a_name(place) as upper(a_syllable(place, 1)) || a_syllable(place, 2) || a_syllable(place, 3) || a_syllable(place, 4);
create or replace temp macro sentence(place) as concat_ws(
    ' ', a_opening(place), a_matter(place), 'en', a_place_kind(place), a_name(place), a_detail(place) || ',', a_request(place)
);
create or replace temp macro edited(text, place) as
case draw(place, 'edit', 6)
    when 0 then upper(text)
    when 1 then text || '!!!'
    when 2 then 'Buenas tardes, ' || text
    when 3 then text || ' #villa'
    when 4 then replace(text, 'qu', 'k')
    else text
end;

-- name: levels
-- The probabilities of a task's labels where one of them has been read. One row per task, label and one of 16 scores.
create temp table label_level as
select
    t.task,
    t.taxonomy_version,
    read.label,
    level,
    (20 + 5 * level) / 100 as score,
    list_transform(t.labels, lambda l: if(l = read.label, score, round((1 - score) / greatest(len(t.labels) - 1, 1), 4)))::float[] as probabilities
from task_label as t, unnest(t.labels) as read(label), range(16) as levels(level);

-- name: collections
-- One row per source of the month.
insert into batch by name select * exclude (channel) from collection;

-- name: items
-- The first versions of a month. One row per item.
create or replace temp table month_item as
with placed as (
    select
        c.*,
        i,
        concat_ws('/', c.city, c.source_id, $back, i) as name,
        hash(name) as place,
        draw(place, 'copy', 100) as likeness
    from collection as c, unnest(range(if($back < 0, 0, c.item_count))) as t(i)
),

worded as (
    select
        *,
        case
            when likeness < 5 then hash(city, $back)
            when likeness < 35 then hash(city, source_id, $back, draw(place, 'pattern', item_count // 33 + 1))
            else place
        end as said
    from placed
)

select
    city,
    source_id,
    channel,
    batch_number,
    i as batch_position,
    observed_at as first_seen_at,
    place,
    md5(name) as manifestation_id,
    md5(name || '/1') as version,
    1 as version_number,
    case when draw(place, 'kind', 100) < 93 then 'manifestation' when draw(place, 'kind', 100) < 98 then 'article' else 'official' end as kind,
    name as native_id,
    case when draw(place, 'url', 100) < 70 then 'http://' || source_id || '.test/' || name end as url,
    case when draw(place, 'signed', 100) < 75 then md5(concat_ws('/', source_id, draw(place, 'author', item_count // 3 + 1))) end as author_key,
    case
        when draw(place, 'dated', 100) >= 2
            then period_start + to_seconds(draw(place, 'when', date_diff('second', period_start, period_end)))
    end as published_at,
    case when said = place then sentence(place) else edited(sentence(said), place) end as text
from worded;

-- name: edits
-- What people changed in items of the month before, among them a few dates: out of their month, and into the next. One row per version.
create temp table if not exists previous_item as from month_item limit 0;

create or replace temp table edited_item as
select
    e.* replace (
        c.batch_number as batch_number,
        c.observed_at as first_seen_at,
        md5(e.native_id || '/2') as version,
        2 as version_number,
        case draw(e.place, 'moved', 20)
            when 0 then e.published_at + interval 1 month
            when 1 then e.published_at - interval 1 month
            else e.published_at
        end as published_at,
        e.text || ' Corregido' as text
    )
from (from previous_item where draw(place, 'edited', 100) < 3) as e
join collection as c using (city, source_id);

create or replace temp table new_item as
from month_item
union all by name
from edited_item;

-- name: rows
-- One row per version.
insert into manifestation by name
select
    * exclude (place, text),
    coalesce(published_at, first_seen_at) as version_at,
    left(sha256(lower(text)), 32) as text_digest,
    length(text) as text_length
from new_item
order by batch_number, batch_position;

-- name: texts
-- One row per version.
insert into manifestation_text by name
select manifestation_id, version, text, coalesce(published_at, first_seen_at) as version_at
from new_item
order by batch_number, batch_position;

-- name: readings
-- One row per version of a message and task, with the probabilities of all labels.
insert into annotation by name
with message as (
    select i.*, pick(labels, i.place, 'category') as category_id
    from new_item as i
    cross join (from task_label where task = 'category') as t
    where i.kind = 'manifestation'
),

read as (
    select
        m.manifestation_id,
        m.version,
        coalesce(m.published_at, m.first_seen_at) as version_at,
        t.task,
        case
            when t.task = 'category' then m.category_id
            when t.task = 'issue' then pick(c.issues, m.place, 'issue')
            when t.task = 'language' and draw(m.place, 'l', 100) < 95 then 'es'
            when t.task = 'screening' and draw(m.place, 's', 100) < 96 then 'ok'
            else pick(t.labels, m.place, t.task)
        end as label,
        draw(m.place, t.task || ' score', 16) as level
    from message as m
    join category_issue as c using (category_id)
    cross join task_label as t
)

select read.* exclude (level), l.* exclude (level, task, label), 'generated' as annotator, '1' as revision, $run as run_id
from read
join label_level as l using (task, label, level);

-- name: absences
-- Items of the month before that their source no longer showed, once and again. One row per item and collection.
insert into manifestation_absence by name
select manifestation_id, city, source_id, c.batch_number, c.observed_at, misses
from previous_item
join collection as c using (city, source_id)
cross join (values (1), (2)) as seen(misses)
where draw(place, 'gone', 100) < 1 and misses <= 1 + draw(place, 'twice', 2);

create or replace temp table previous_item as from month_item;

-- name: health
-- One row per source of the month.
insert into source_health by name
select
    batch_number, city, source_id, period_start, period_end, observed_at, 'ok' as status, 'none' as reason, '' as detail,
    12 as request_count, 120000 as byte_count, item_count, 0 as undated_count, 0 as skipped_count, 'allowed' as robots
from collection;
