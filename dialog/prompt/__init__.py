"""From state and passages to what the model is shown: template, layout, fitting."""
