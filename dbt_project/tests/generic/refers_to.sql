{#- Every row's columns are a key of the other relation. -#}
{% test refers_to(model, columns, to) %}
select {% for column in columns %}model.{{ column }}{{ ", " if not loop.last }}{% endfor %}
from {{ model }} as model
where not exists (
    select 1
    from {{ to }} as target
    where {% for column in columns %}target.{{ column }} = model.{{ column }}{{ " and " if not loop.last }}{% endfor %}
)
{% endtest %}
